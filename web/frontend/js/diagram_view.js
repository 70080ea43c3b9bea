// One drawing on the page: shows where the tokens are, zooms, pans by keyboard, opens called processes.

import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer.js';
import zeebe from 'zeebe-bpmn-moddle/resources/zeebe.json';
import { make, escapeName } from './page.js';
import { isChinese, say } from './texts.js';
import { translation } from './editor/translation.js';

const MARKS = { done: 'tidu-done', active: 'tidu-active', cancelled: 'tidu-cancelled', intervened: 'tidu-intervened' };
const BADGES = {
  active: () => make('span', { class: 'tidu-badge is-active', title: say('正在此处', 'Here now') }, '●'),
  cancelled: () => make('span', { class: 'tidu-badge is-cancelled', title: say('已取消', 'Cancelled') }, '✕'),
};
const SMALLEST_READABLE = 0.7;

export class DiagramView {
  /** `place` is the element to draw in; `called` maps call activities to addresses of pages. */
  constructor(place, { called = {} } = {}) {
    this.place = place;
    this.called = called;
    this.canvasPlace = make('div', { class: 'tidu-diagram-canvas' });
    place.replaceChildren(this.canvasPlace, this.#buttons());
    place.setAttribute('role', 'group');
    place.setAttribute('aria-label', place.getAttribute('aria-label') ?? say('流程图（文字版见旁边的大纲）', 'Process diagram (see the outline for text)'));
    this.viewer = new NavigatedViewer({ container: this.canvasPlace, moddleExtensions: { zeebe }, additionalModules: [translation] });
    if (!isChinese) this.viewer.on('import.parse.complete', ({ definitions }) => { if (definitions) nameInEnglish(definitions); });
    this.marked = [];
    this.#listen();
  }

  async open(xml) {
    await this.viewer.importXML(xml);
    this.marked = [];
    this.#linkCalled();
    this.frame();
  }

  /** Marks the elements of `state` and unmarks what was marked before. */
  show(state) {
    this.state = state;
    const canvas = this.viewer.get('canvas');
    const overlays = this.viewer.get('overlays');
    for (const [id, mark] of this.marked) if (this.#has(id)) canvas.removeMarker(id, mark);
    overlays.remove({ type: 'tidu-state' });
    this.marked = [];
    const mark = (id, name) => {
      if (!this.#has(id)) return;
      canvas.addMarker(id, name);
      this.marked.push([id, name]);
    };
    for (const [kind, name] of Object.entries(MARKS)) for (const id of state[kind] ?? []) mark(id, name);
    for (const id of state.flows ?? []) mark(id, 'tidu-taken');
    for (const kind of ['active', 'cancelled']) for (const id of state[kind] ?? []) this.#badge(id, BADGES[kind]());
    for (const [id, count] of Object.entries(state.counts ?? {})) {
      if (count > 1) this.#badge(id, make('span', { class: 'tidu-badge is-count', title: say(`经过 ${count} 次`, `Passed ${count} times`) }, `×${count}`), { left: -6, top: -10 });
    }
  }

  /** Brings one element into view and points at it. */
  point(id) {
    if (!this.#has(id)) return false;
    const canvas = this.viewer.get('canvas');
    if (this.pointed && this.#has(this.pointed)) canvas.removeMarker(this.pointed, 'tidu-pointed');
    const element = this.viewer.get('elementRegistry').get(id);
    const root = canvas.findRoot(element);
    if (root && canvas.getRootElement() !== root) canvas.setRootElement(root);
    canvas.addMarker(id, 'tidu-pointed');
    this.pointed = id;
    canvas.scrollToElement(element, 60);
    return true;
  }

  /** The whole drawing. */
  fit() {
    const canvas = this.viewer.get('canvas');
    canvas.resized();
    canvas.zoom('fit-viewport', 'auto');
  }

  /** The whole drawing if its texts can be read then, else the part where something happens. */
  frame() {
    this.fit();
    const canvas = this.viewer.get('canvas');
    if (canvas.zoom() >= SMALLEST_READABLE) return;
    const registry = this.viewer.get('elementRegistry');
    const shown = [this.place.dataset.focus, this.state?.active?.[0]].find((id) => id && this.#has(id));
    const element = registry.get(shown) ?? registry.find(({ type }) => type === 'bpmn:StartEvent');
    if (!element) return;
    canvas.zoom(SMALLEST_READABLE + 0.1);
    const { width, height, inner } = canvas.viewbox();
    canvas.viewbox({
      x: within(element.x + element.width / 2 - width / 2, inner.x, inner.width, width),
      y: within(element.y + element.height / 2 - height / 2, inner.y, inner.height, height),
      width, height,
    });
  }

  #has(id) { return Boolean(this.viewer.get('elementRegistry').get(id)); }

  #badge(id, html, position = { right: 12, top: -10 }) {
    if (this.#has(id)) this.viewer.get('overlays').add(id, 'tidu-state', { position, html });
  }

  #linkCalled() {
    for (const [id, address] of Object.entries(this.called)) {
      const html = make('a', { class: 'tidu-badge is-link', href: address, title: say('打开被调用的流程', 'Open the called process') }, '↗');
      if (this.#has(id)) this.viewer.get('overlays').add(id, 'tidu-called', { position: { bottom: 12, right: 14 }, html });
    }
  }

  #buttons() {
    const button = (sign, label, action) => make('button', { type: 'button', class: 'btn btn-sm btn-light', title: label, 'aria-label': label, onclick: action }, sign);
    return make('div', { class: 'tidu-diagram-buttons', role: 'toolbar', 'aria-label': say('缩放', 'Zoom') },
      button('＋', say('放大', 'Zoom in'), () => this.#zoom(1.25)),
      button('－', say('缩小', 'Zoom out'), () => this.#zoom(0.8)),
      button('▣', say('适合窗口', 'Fit'), () => this.fit()));
  }

  #zoom(factor) {
    const canvas = this.viewer.get('canvas');
    canvas.zoom(Math.min(4, Math.max(0.2, canvas.zoom() * factor)));
  }

  #listen() {
    this.viewer.get('eventBus').on('element.click', ({ element }) => {
      this.place.dispatchEvent(new CustomEvent('tidu:element', { bubbles: true, detail: { id: element.id } }));
    });
    this.canvasPlace.tabIndex = 0;
    this.canvasPlace.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const pan = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
      const zoom = { '+': 1.25, '=': 1.25, '-': 0.8 }[event.key];
      if (pan) this.viewer.get('canvas').scroll({ dx: pan[0], dy: pan[1] });
      else if (zoom) this.#zoom(zoom);
      else if (event.key === '0') this.fit();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
}

/* Readers of English see the English names that the drawing carries beside the Chinese ones. */
function nameInEnglish(model) {
  const properties = (model.processRef ?? model).extensionElements?.values?.find((one) => one.$type === 'zeebe:Properties')?.properties;
  const english = properties?.find((one) => one.name === 'name:en')?.value;
  if (english) model.name = english;
  for (const part of ['rootElements', 'flowElements', 'participants', 'laneSets', 'lanes']) {
    for (const child of model[part] ?? []) nameInEnglish(child);
  }
}

/* A window of `size` that lies inside `start…start+length` with a margin, or is centred if it is larger. */
function within(wanted, start, length, size) {
  const margin = 20;
  if (length + 2 * margin <= size) return start - (size - length) / 2;
  return Math.min(Math.max(wanted, start - margin), start + length + margin - size);
}

/** Choosing a line of the outline points at the element, and the other way round; `find` gives the outline. */
export function connectOutline(view, find) {
  document.addEventListener('tidu:chosen', (event) => {
    if (find()?.contains(event.target)) view.point(event.detail.id);
  });
  view.place.addEventListener('tidu:element', (event) => {
    const line = find()?.querySelector(`[data-element="${escapeName(event.detail.id)}"]`);
    line?.dispatchEvent(new CustomEvent('tidu:choose', { bubbles: true }));
  });
}
