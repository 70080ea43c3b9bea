// What a file holds and the editor cannot write again: told before anything is saved.

import { make } from '../page.js';
import { say } from '../texts.js';

const BPMN = 'http://www.omg.org/spec/BPMN/20100524/MODEL';
const STANDARD = 'http://www.omg.org/spec/';
const SHOWN = 5;

/** One line for each part that stands in the text `before` and not in the text `after`. */
export function unkept(before, after) {
  const left = counted(after);
  const lost = [];
  for (const [fact, count] of counted(before)) if (count > (left.get(fact) ?? 0)) lost.push(fact);
  return lost;
}

/** Says above the drawing what saving would lose; nothing if all is kept. */
export function tellUnkept(place, lost) {
  if (!lost.length) return;
  place.before(make('div', { class: 'alert alert-warning', role: 'status', 'data-unkept': true },
    say(`编辑器无法保留此文件中的 ${lost.length} 处内容，保存修改后会丢失；如需保留，请在原工具中修改后重新导入：`,
      `The editor cannot keep ${lost.length} parts of this file; saving a change loses them. To keep them, change the file where it was drawn and import it again:`),
    make('ul', { class: 'mb-0' }, ...lost.slice(0, SHOWN).map((fact) => make('li', {}, make('code', {}, fact))),
      lost.length > SHOWN ? make('li', {}, '…') : null)));
}

function counted(text) {
  const found = new Map();
  for (const element of new DOMParser().parseFromString(text, 'text/xml').getElementsByTagName('*')) {
    for (const fact of factsOf(element)) found.set(fact, (found.get(fact) ?? 0) + 1);
  }
  return found;
}

/* That an element stands there; of elements and attributes that are not BPMN's also what they say. */
function* factsOf(element) {
  const name = `${ownerOf(element)} ${element.localName === 'formalExpression' ? 'expression' : element.localName}`;
  const isForeign = !element.namespaceURI?.startsWith(STANDARD);
  yield name;
  for (const one of element.attributes) {
    const said = one.namespaceURI ? !one.namespaceURI.startsWith('http://www.w3.org/') && !one.namespaceURI.startsWith(STANDARD) : isForeign;
    if (said) yield `${name} @${one.name}=${one.value}`;
  }
  const words = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE || node.nodeType === Node.CDATA_SECTION_NODE)
    .map((node) => node.data.trim()).filter(Boolean).join(' ');
  if (isForeign && words) yield `${name}: ${words}`;
}

function ownerOf(element) {
  for (let one = element; one; one = one.parentElement) {
    const own = one.getAttribute('bpmnElement') ?? (one.namespaceURI === BPMN ? one.getAttribute('id') : null);
    if (own) return own;
  }
  return '';
}
