// What the draft changes against the version it is based on: by element, in the owner's words.

import { BpmnModdle } from 'bpmn-moddle';
import zeebe from 'zeebe-bpmn-moddle/resources/zeebe.json';
import tidu from '../../tidu.json';
import { text } from '../http.js';
import { make } from '../page.js';
import { say } from '../texts.js';
import { kindOf } from './live_outline.js';

const WORDS = {
  name: ['名称', 'name'], documentation: ['办理说明', 'instructions'], candidateGroups: ['候选组', 'candidate groups'],
  candidateUsers: ['候选人', 'candidate users'], assignee: ['指定办理人', 'assignee'], formId: ['表单', 'form'],
  workingDays: ['办理期限（工作日）', 'deadline (working days)'], notSameAs: ['不得同一人', 'not the same person as'],
  result: ['结果变量', 'result variable'], conditionExpression: ['条件', 'condition'], default: ['默认流', 'default flow'],
  decisionId: ['决策', 'decision'], processId: ['调用流程', 'called process'], bulkable: ['可批量', 'bulkable'],
  timeDuration: ['时长', 'duration'], timeDate: ['时间', 'time'], timeCycle: ['周期', 'cycle'],
  sourceRef: ['起点', 'from'], targetRef: ['终点', 'to'], clause: ['条款', 'clause'], step: ['环节代码', 'step code'],
  'name:en': ['英文名称', 'English name'], outcomes: ['办理结果', 'outcome'], type: ['服务类型', 'service type'],
};
const CHILDREN = ['flowElements', 'participants', 'laneSets', 'lanes', 'rootElements'];
const UNTOLD = new Set([...CHILDREN, 'incoming', 'outgoing', 'flowNodeRef', 'artifacts', 'di', 'id', 'diagrams', 'boundaryEventRefs']);
const TOLD_REFERENCES = new Set(['sourceRef', 'targetRef', 'default', 'attachedToRef', 'messageRef', 'errorRef', 'escalationRef']);

export class Changes {
  /** `base` is the address of the drawing this one is compared with; `point(id)` brings an element into view. */
  constructor({ place, base, read, point }) {
    Object.assign(this, { place, base, read, point });
  }

  async show() {
    if (!this.place || !this.base) return;
    this.before ??= elementsOf(await parse(await text(this.base)));
    const after = elementsOf(await parse(await this.read()));
    const lines = [
      ...[...after.values()].filter(({ id }) => !this.before.has(id)).map((one) => this.#line('＋', say('新增', 'added'), 'is-added', one)),
      ...[...this.before.values()].filter(({ id }) => !after.has(id)).map((one) => this.#line('－', say('删除', 'removed'), 'is-removed', one)),
      ...[...after.values()].map((one) => this.#changed(this.before.get(one.id), one, after)).filter(Boolean),
    ];
    document.querySelector('[data-change-count]')?.replaceChildren(say(`${lines.length} 处`, String(lines.length)));
    this.place.replaceChildren(lines.length
      ? make('ul', { class: 'tidu-problems' }, ...lines)
      : make('p', { class: 'text-body-secondary m-2' }, say('流程图与原版本相同（位置不计）', 'The drawing is the same but for its layout')));
  }

  #changed(before, after, all) {
    if (!before) return null;
    const shown = (value) => (value === undefined ? say('（无）', '(none)') : (all.get(value) ?? this.before.get(value))?.name ?? value);
    const [old, now] = [flat(before), flat(after)];
    const told = [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path))
      .map((path) => `${word(path)}：${shown(old.get(path))} → ${shown(now.get(path))}`);
    return told.length ? this.#line('～', say('修改', 'changed'), 'is-changed', after, told.join('；')) : null;
  }

  #line(sign, spoken, look, element, detail = '') {
    return make('li', { class: look }, make('button', { type: 'button', class: 'tidu-problem', onclick: () => this.point(element.id) },
      make('span', { class: 'tidu-problem-sign', 'aria-hidden': 'true' }, sign), make('span', { class: 'visually-hidden' }, spoken),
      make('strong', {}, element.name || element.id), ' ',
      make('span', { class: 'text-body-secondary' }, kindOf({ type: element.$type })), ' ', make('span', {}, detail)));
  }
}

async function parse(xml) {
  return (await new BpmnModdle({ zeebe, tidu }).fromXML(xml)).rootElement;
}

/* Every element of the drawing that people know, by id. */
function elementsOf(model, found = new Map()) {
  for (const name of CHILDREN) {
    for (const child of model[name] ?? []) {
      if (child.id && !['bpmn:Collaboration', 'bpmn:LaneSet'].includes(child.$type)) found.set(child.id, child);
      elementsOf(child, found);
    }
  }
  return found;
}

/* All properties of one element, nested ones by path, as texts. */
function flat(model, path = [], found = new Map()) {
  for (const { ns, isReference, isVirtual } of model.$descriptor?.properties ?? []) {
    const name = ns.localName;
    const value = model[name] ?? model.get?.(ns.name);
    if (UNTOLD.has(name) || isVirtual || value === undefined) continue;
    if (isReference) {
      if (TOLD_REFERENCES.has(name)) found.set([...path, name].join('.'), value.id);
    } else {
      [value].flat().forEach((one, index) => put(one, [...path, ...step(name, one, index)], found));
    }
  }
  return found;
}

function put(value, path, found) {
  if (value && typeof value === 'object' && value.$descriptor) flat(value, path, found);
  else if (value !== '' && value !== null && value !== false) found.set(path.join('.'), String(value));
}

/* Extensions are told by their type, named properties by their name, lists by their place. */
function step(name, value, index) {
  if (value?.$type === 'zeebe:Property' || value?.$type === 'zeebe:Header') return [value.name ?? value.key];
  if (value?.$type === 'tidu:Outcome') return ['outcomes', String(index + 1)];
  if (name === 'values' || name === 'extensionElements') return value?.$type ? [value.$type.split(':')[1]] : [name];
  return Array.isArray(value) || index > 0 ? [name, String(index + 1)] : [name];
}

/* The last telling part of a path: `documentation.text` is the instructions, `Deadline.workingDays` the term. */
function word(path) {
  const parts = path.split('.');
  const known = parts.findLast((part) => part in WORDS) ?? parts.at(-1);
  const place = parts.indexOf('outcomes') >= 0 ? ` ${parts[parts.indexOf('outcomes') + 1]} ${parts.at(-1)}` : '';
  return `${say(...(WORDS[known] ?? [known, known]))}${known === 'outcomes' ? place : ''}`;
}
