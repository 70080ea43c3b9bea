// The drawing as a tree that can be edited without the canvas: append, connect, rename, delete.

import { make } from '../page.js';
import { say } from '../texts.js';
import { improveOutlines } from '../outline.js';
import { translate } from './translation.js';

const KINDS = [
  ['bpmn:UserTask', '人工办理', 'User task'],
  ['bpmn:ServiceTask', '系统服务', 'Service task'],
  ['bpmn:BusinessRuleTask', '决策表', 'Decision'],
  ['bpmn:CallActivity', '调用流程', 'Call activity'],
  ['bpmn:ExclusiveGateway', '排他网关', 'Exclusive gateway'],
  ['bpmn:ParallelGateway', '并行网关', 'Parallel gateway'],
  ['bpmn:EndEvent', '结束', 'End'],
];

/** The name a person knows the element by; elements without one by kind and id. */
export const nameOf = (element) => {
  const name = element.businessObject?.name;
  return name ? `${name}` : `${kindOf(element)} ${element.id}`;
};

const words = (type) => type.replace(/^bpmn:/, '').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase().replace(/^./, (first) => first.toUpperCase());
export const kindOf = (element) => translate(words(element.type));

export class LiveOutline {
  constructor({ place, modeler, canEdit }) {
    Object.assign(this, { place, modeler, canEdit });
    this.tree = make('ul', { class: 'tidu-outline', role: 'tree', 'aria-label': say('流程大纲', 'Outline of the process') });
    this.commands = make('div', { class: 'tidu-outline-commands' });
    place.replaceChildren(this.tree, this.commands);
    modeler.on('selection.changed', ({ newSelection }) => this.#selected(newSelection[0]));
    place.addEventListener('tidu:chosen', (event) => this.#choose(event.detail.id));
    this.#selected(null);
  }

  /** Draws the tree again after the drawing has changed; quickly repeated calls count as one. */
  refresh() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    const root = this.modeler.get('canvas').getRootElements?.()[0] ?? this.modeler.get('canvas').getRootElement();
    const focused = document.activeElement?.closest?.('[role=treeitem]')?.dataset.element;
    const fresh = this.tree.cloneNode(false);
    delete fresh.dataset.improved;
    fresh.append(...this.#lines(root));
    this.tree.replaceWith(fresh);
    this.tree = fresh;
    improveOutlines(this.place);
    const id = this.chosen?.id ?? focused;
    const item = id && this.tree.querySelector(`[data-element="${CSS.escape(id)}"]`);
    item?.dispatchEvent(new CustomEvent('tidu:choose', { bubbles: true }));
    if (focused) item?.focus();
  }

  #lines(parent) {
    const steps = parent.children.filter((child) => !child.labelTarget && !child.waypoints && child.type !== 'bpmn:Lane' && child.type !== 'label');
    return inOrder(steps).map((step) => {
      const drawn = step.children?.length ? step : this.modeler.get('elementRegistry').get(`${step.id}_plane`); // folded
      const inner = drawn ? this.#lines(drawn) : [];
      const next = (step.outgoing ?? []).filter((flow) => flow.target && flow.type === 'bpmn:SequenceFlow').map((flow) => nameOf(flow.target));
      return make('li', { role: 'treeitem', 'data-element': step.id, 'aria-selected': 'false', 'aria-expanded': inner.length ? 'true' : false },
        make('span', { class: 'tidu-outline-line', title: next.length ? `→ ${next.join(' / ')}` : false },
          inner.length ? make('span', { class: 'tidu-outline-twist', 'aria-hidden': 'true' }) : null,
          make('span', {}, nameOf(step)),
          make('span', { class: 'visually-hidden' }, next.length ? say(`，之后：${next.join('、')}`, `, then: ${next.join(', ')}`) : ''),
          make('span', { class: 'tidu-outline-kind' }, kindOf(step))),
        inner.length ? make('ul', { role: 'group' }, ...inner) : null);
    });
  }

  #choose(id) {
    const element = this.modeler.get('elementRegistry').get(id);
    if (!element) return;
    const canvas = this.modeler.get('canvas');
    const root = canvas.findRoot(element);
    if (root && root !== canvas.getRootElement()) canvas.setRootElement(root);
    this.modeler.get('selection').select(element);
    canvas.scrollToElement(element, 80);
  }

  #selected(element) {
    this.chosen = element ?? null;
    this.tree.querySelector(`[data-element="${CSS.escape(element?.id ?? '')}"]`)?.dispatchEvent(new CustomEvent('tidu:choose', { bubbles: true }));
    if (this.canEdit) this.commands.replaceChildren(...(element && !element.waypoints ? this.#commandsFor(element) : [
      make('p', { class: 'form-text m-0' }, say('选中一行后可在此追加、连接、删除；名称和规则在右侧属性里改。', 'Choose a line to append, connect or delete; names and rules are edited in the properties.'))]));
  }

  #commandsFor(element) {
    const kinds = make('select', { class: 'form-select form-select-sm', 'aria-label': say('追加的种类', 'Kind to append') },
      ...KINDS.map(([type, zh, en]) => make('option', { value: type }, say(zh, en))));
    const others = this.modeler.get('elementRegistry').filter((other) => canFlowTo(element, other));
    const targets = make('select', { class: 'form-select form-select-sm', 'aria-label': say('连接到', 'Connect to') },
      ...others.map((other) => make('option', { value: other.id }, nameOf(other))));
    const button = (label, action, style = 'btn-outline-secondary') => make('button', { type: 'button', class: `btn btn-sm ${style}`, onclick: action }, label);
    const rows = [];
    if (canLeave(element)) {
      rows.push(make('div', { class: 'input-group input-group-sm' }, kinds, button(say('追加', 'Append'), () => this.#append(element, kinds.value))));
      if (others.length) rows.push(make('div', { class: 'input-group input-group-sm' }, targets, button(say('连接', 'Connect'), () => this.#connect(element, targets.value))));
    }
    if (element.parent) rows.push(button(say(`删除“${nameOf(element)}”`, `Delete “${nameOf(element)}”`), () => this.modeler.get('modeling').removeElements([element]), 'btn-link text-danger'));
    return rows;
  }

  #append(element, type) {
    const shape = this.modeler.get('elementFactory').createShape({ type });
    this.modeler.get('autoPlace').append(element, shape);
    this.modeler.get('selection').select(shape);
  }

  #connect(element, id) {
    const target = this.modeler.get('elementRegistry').get(id);
    const flow = this.modeler.get('modeling').connect(element, target);
    if (flow) this.modeler.get('selection').select(element);
  }
}

const canLeave = (element) => /Task$|Event$|Gateway$|Activity$|SubProcess$/.test(element.type) && element.type !== 'bpmn:EndEvent';
const canFlowTo = (from, to) => to !== from && to.parent === from.parent && !to.labelTarget
  && /Task$|Gateway$|Activity$|SubProcess$|IntermediateCatchEvent$|IntermediateThrowEvent$|EndEvent$/.test(to.type);

/* Along the flow from the starts, breadth first, so that the list reads as the process runs. */
function inOrder(steps) {
  const left = new Set(steps);
  const ordered = [];
  const visit = (start) => {
    const queue = [start];
    while (queue.length) {
      const step = queue.shift();
      if (!left.delete(step)) continue;
      ordered.push(step);
      queue.push(...(step.attachers ?? []), ...(step.outgoing ?? []).map((flow) => flow.target).filter((target) => left.has(target)));
    }
  };
  for (const step of steps) if (!step.incoming?.length && !step.host && step.type === 'bpmn:StartEvent') visit(step);
  for (const step of steps) if (!step.host) visit(step);
  for (const step of steps) visit(step);
  return ordered;
}
