// The editor's keys: F8 next problem, Ctrl+K go to an element, Ctrl+S save, Alt+1…6 property groups.

import { make, announce } from '../page.js';
import { say } from '../texts.js';
import { nameOf } from './live_outline.js';

export function listenToKeys({ modeler, drafting, problems }) {
  document.addEventListener('keydown', (event) => {
    const control = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (event.key === 'F8') problems.next();
    else if (control && event.key.toLowerCase() === 's') drafting.save().then((done) => { if (done) announce(say('已保存', 'Saved')); });
    else if (control && event.key.toLowerCase() === 'k') goTo(modeler, problems);
    else if (event.altKey && /^[1-6]$/.test(event.key)) openGroup(Number(event.key));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}

function openGroup(number) {
  const group = document.querySelectorAll('#properties .bio-properties-panel-group')[number - 1];
  const header = group?.querySelector('.bio-properties-panel-group-header-title, .bio-properties-panel-group-header');
  if (!header) return;
  if (!group.querySelector('.bio-properties-panel-group-entries.open, .bio-properties-panel-list.open')) header.click();
  group.scrollIntoView({ block: 'start' });
  setTimeout(() => group.querySelector('input, textarea, select, button')?.focus(), 50);
}

function goTo(modeler, problems) {
  const elements = modeler.get('elementRegistry').filter((element) => element.type !== 'label' && element.parent && !element.labelTarget);
  const list = make('datalist', { id: 'tidu-elements' }, ...elements.map((element) => make('option', { value: nameOf(element) })));
  const field = make('input', { class: 'form-control', list: 'tidu-elements', autocomplete: 'off', 'aria-label': say('元素名称', 'Name of the element') });
  const dialog = make('dialog', { class: 'tidu-dialog' },
    make('form', { method: 'dialog' }, make('label', { class: 'form-label' }, say('转到元素', 'Go to element')), field, list,
      make('div', { class: 'text-end mt-3' }, make('button', { class: 'btn btn-primary' }, say('转到', 'Go')))));
  dialog.addEventListener('close', () => {
    const found = elements.find((element) => nameOf(element) === field.value || element.id === field.value);
    dialog.remove();
    if (found) problems.point(found.id);
  });
  document.body.append(dialog);
  dialog.showModal();
}
