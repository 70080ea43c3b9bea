// Everything that is wrong, in one list: what lint sees while drawing and what the real engine says.

import { send } from '../http.js';
import { make, announce } from '../page.js';
import { isChinese, say } from '../texts.js';
import { translate } from './translation.js';

const SIGNS = { error: '✕', warning: '!', info: 'i' };
const WORDS = { error: ['错误', 'error'], warning: ['警告', 'warning'], info: ['提示', 'note'] };
const ORDER = { error: 0, warning: 1, info: 2 };
const SEVERITIES = { error: 'error', warn: 'warning', info: 'info' };

export class Problems {
  constructor({ place, modeler, url }) {
    Object.assign(this, { place, modeler, url, lint: [], engine: [], at: -1 });
    modeler.on('linting.completed', ({ issues }) => {
      this.lint = Object.values(issues).flat().map((issue) => ({
        element: issue.actualElementId ?? issue.id,
        rule: issue.rule,
        severity: SEVERITIES[issue.category] ?? 'warning',
        message: translate(issue.message),
      }));
      this.#show();
    });
  }

  /** Asks the engine about the saved draft. */
  async check() {
    if (!this.url) return;
    try {
      const { data } = await send('POST', this.url, { body: {} });
      this.engine = data.problems.map((problem) => ({ ...problem, byEngine: true, message: (isChinese && problem.message_zh) || problem.message }));
      this.failed = null;
    } catch (refused) {
      this.failed = refused.message;
    }
    this.#show();
  }

  next() {
    const all = this.#all();
    if (!all.length) return announce(say('没有问题', 'No problems'));
    this.at = (this.at + 1) % all.length;
    this.place.querySelectorAll('[data-problem] button')[this.at]?.focus();
    return this.#go(all[this.at]);
  }

  /** Selects the element and brings it into view. */
  point(id) {
    const element = this.#shapeOf(id);
    if (!element) return;
    const canvas = this.modeler.get('canvas');
    const root = canvas.findRoot(element);
    if (root && root !== canvas.getRootElement()) canvas.setRootElement(root);
    this.modeler.get('selection').select(element);
    if (element.parent) canvas.scrollToElement(element, 80);
  }

  /** Puts a sign beside every element that the engine has something to say about. */
  #mark() {
    const overlays = this.modeler.get('overlays');
    overlays.remove({ type: 'tidu-finding' });
    for (const id of new Set(this.engine.map((one) => one.element))) {
      const problems = this.engine.filter((one) => one.element === id);
      const element = this.#shapeOf(id);
      if (!element || !element.parent) continue;
      const worst = problems.reduce((one, other) => ((ORDER[other.severity] ?? 1) < (ORDER[one.severity] ?? 1) ? other : one));
      const text = problems.map((one) => `${say(...(WORDS[one.severity] ?? WORDS.warning))}: ${one.message} (${one.rule})`).join('\n');
      overlays.add(element, 'tidu-finding', {
        position: element.waypoints ? { top: 0, left: 0 } : { top: -10, right: 10 },
        html: make('button', { type: 'button', class: `tidu-finding is-${worst.severity}`, title: text, 'aria-label': text, onclick: () => this.point(id) }, SIGNS[worst.severity] ?? '!'),
      });
    }
  }

  #all() {
    const seen = new Set();
    return [...this.engine, ...this.lint]
      .filter((one) => {
        const key = `${one.element}|${one.message}`;
        return !seen.has(key) && seen.add(key);
      })
      .sort((a, b) => (ORDER[a.severity] ?? 1) - (ORDER[b.severity] ?? 1));
  }

  #go(problem) {
    if (this.#shapeOf(problem.element)) this.point(problem.element);
    else if (problem.link) location.href = problem.link;
    announce(`${problem.message}`);
  }

  /* What is drawn for an id; for a process beside others that is its pool. */
  #shapeOf(id) {
    const registry = this.modeler.get('elementRegistry');
    return registry.get(id) ?? registry.find((one) => one.type === 'bpmn:Participant' && one.businessObject.processRef?.id === id);
  }

  #name(id) {
    const name = this.#shapeOf(id)?.businessObject?.name;
    return name ? `${name}` : id;
  }

  #show() {
    this.#mark();
    const all = this.#all();
    const count = (severity) => all.filter((one) => one.severity === severity).length;
    const line = (problem) => make('li', { 'data-problem': true, class: `is-${problem.severity}` },
      make('button', { type: 'button', class: 'tidu-problem', onclick: () => { this.at = all.indexOf(problem); this.#go(problem); } },
        make('span', { class: 'tidu-problem-sign', 'aria-hidden': 'true' }, SIGNS[problem.severity] ?? '!'),
        make('span', { class: 'visually-hidden' }, say(...(WORDS[problem.severity] ?? WORDS.warning))),
        make('strong', {}, this.#name(problem.element)), ' ',
        make('span', {}, problem.message), ' ',
        make('code', { class: 'tidu-problem-rule' }, `${problem.byEngine ? say('引擎', 'engine') : say('绘图', 'drawing')} · ${problem.rule}`)));
    const head = all.length
      ? say(`${count('error')} 个错误，${count('warning')} 个警告，${count('info')} 条提示`, `${count('error')} errors, ${count('warning')} warnings, ${count('info')} notes`)
      : say('没有问题', 'No problems');
    document.querySelector('[data-problem-count]')?.replaceChildren(head);
    this.place.replaceChildren(
      ...(this.failed ? [make('p', { class: 'alert alert-warning m-2' }, say(`引擎检查未能完成：${this.failed}`, `The engine could not check: ${this.failed}`))] : []),
      all.length ? make('ul', { class: 'tidu-problems' }, ...all.map(line)) : make('p', { class: 'text-body-secondary m-2' }, head));
  }
}
