// Replay: walks a case entry by entry; the server says how everything stood, this shows it.

import '../css/audit.css';
import { DiagramView, connectOutline } from './diagram_view.js';
import { improveOutlines } from './outline.js';
import { copy } from './copying.js';
import { text } from './http.js';
import { make, toast } from './page.js';
import { say } from './texts.js';

const PLAY = 1200;

class Replay {
  constructor(place) {
    this.place = place;
    this.moment = document.getElementById('moment');
    this.slider = document.getElementById('replay-slider');
    this.sentence = document.getElementById('replay-sentence');
    this.last = Number(place.dataset.last);
    this.seq = Number(place.dataset.seq);
    this.entries = [...document.querySelectorAll('[data-entry]')];
    this.pages = new Map([[this.seq, this.moment.innerHTML]]);
    this.drawings = new Map();
    this.diagramPlace = document.getElementById('replay-diagram');
    this.#listen();
    this.#show();
  }

  /** Shows the case as it stood after entry `seq`. */
  async go(seq) {
    const wanted = Math.min(this.last, Math.max(1, seq));
    if (wanted === this.seq) return;
    this.seq = wanted;
    this.slider.value = wanted;
    try {
      const page = await this.#page(wanted);
      if (wanted !== this.seq) return;
      const open = this.moment.querySelector('[data-tabs] [aria-selected=true]')?.dataset.tab;
      this.moment.innerHTML = page;
      this.#keepTab(open);
      this.#show();
      history.replaceState(null, '', this.#address());
      this.#ahead();
    } catch (refused) {
      toast(refused.message, { kind: 'danger' });
    }
  }

  /** To the next entry in a direction of which `is` holds: a human action, an intervention. */
  jump(direction, is) {
    const next = direction > 0
      ? this.entries.find((entry) => seqOf(entry) > this.seq && is(entry))
      : this.entries.findLast((entry) => seqOf(entry) < this.seq && is(entry));
    if (next) this.go(seqOf(next));
  }

  play() {
    const button = document.getElementById('replay-play');
    if (this.playing) {
      clearInterval(this.playing);
      this.playing = null;
    } else {
      if (this.seq === this.last) this.go(1);
      this.playing = setInterval(() => {
        if (this.seq >= this.last) this.play();
        else this.go(this.seq + 1);
      }, PLAY);
    }
    button?.setAttribute('aria-pressed', String(Boolean(this.playing)));
    if (button) button.textContent = this.playing ? say('❚❚ 暂停', '❚❚ Pause') : say('▶ 播放', '▶ Play');
  }

  #address() {
    const address = new URL(location.href);
    address.searchParams.set('seq', this.seq);
    return address;
  }

  async #page(seq) {
    if (!this.pages.has(seq)) this.pages.set(seq, await text(`${this.place.dataset.momentUrl}?seq=${seq}`));
    return this.pages.get(seq);
  }

  #ahead() {
    if (this.seq < this.last) this.#page(this.seq + 1).catch(() => this.pages.delete(this.seq + 1));
  }

  #show() {
    const facts = this.moment.querySelector('[data-moment]');
    this.sentence.textContent = facts.dataset.sentence;
    this.slider.setAttribute('aria-valuetext', facts.dataset.sentence);
    document.getElementById('replay-step').textContent = say(`第 ${this.seq} / ${this.last} 步`, `Step ${this.seq} of ${this.last}`);
    document.getElementById('replay-cursor')?.setAttribute('x', this.seq - 0.5);
    for (const entry of this.entries) {
      const isHere = seqOf(entry) === this.seq;
      entry.classList.toggle('is-here', isHere);
      entry.classList.toggle('is-future', seqOf(entry) > this.seq);
      entry.querySelector('a')?.setAttribute('aria-current', isHere ? 'step' : 'false');
      if (isHere) keepInView(entry);
    }
    improveOutlines(this.moment);
    this.#draw(JSON.parse(facts.dataset.diagrams)).catch((error) => {
      this.diagramPlace.replaceChildren(make('p', { class: 'alert alert-warning m-3' }, say(`流程图无法显示：${error.message}`, `The diagram cannot be shown: ${error.message}`)));
    });
  }

  /* `diagrams`: {shown: process, element, all: [{process, name, xmlUrl, state}]} */
  async #draw(diagrams) {
    const chosen = this.followed === false ? this.chosen : diagrams.shown;
    const drawing = diagrams.all.find((one) => one.process === chosen) ?? diagrams.all[0];
    if (!drawing) return;
    this.chosen = drawing.process;
    this.#chooser(diagrams);
    if (this.drawn !== drawing.xmlUrl) {
      this.drawn = drawing.xmlUrl;
      this.view ??= this.#newView();
      if (!this.drawings.has(drawing.xmlUrl)) this.drawings.set(drawing.xmlUrl, await text(drawing.xmlUrl));
      this.view.state = drawing.state;
      await this.view.open(this.drawings.get(drawing.xmlUrl));
    }
    this.view.show(drawing.state);
    if (drawing.process === diagrams.shown && diagrams.element) this.view.point(diagrams.element);
  }

  #newView() {
    const view = new DiagramView(this.diagramPlace);
    connectOutline(view, () => this.moment.querySelector('.tidu-outline'));
    return view;
  }

  #chooser(diagrams) {
    const place = document.getElementById('replay-drawings');
    const button = (one) => make('button', {
      type: 'button', class: `btn btn-sm ${one.process === this.chosen ? 'btn-primary' : 'btn-outline-secondary'}`,
      'aria-pressed': String(one.process === this.chosen),
      onclick: () => { this.chosen = one.process; this.followed = false; follow.checked = false; this.#draw(diagrams); },
    }, one.name);
    const follow = make('input', { type: 'checkbox', class: 'form-check-input', checked: this.followed !== false });
    follow.addEventListener('change', () => { this.followed = follow.checked; this.#draw(diagrams); });
    place.replaceChildren(...(diagrams.all.length > 1
      ? [...diagrams.all.map(button), make('label', { class: 'form-check-label ms-2' }, follow, ' ', say('跟随当前步骤', 'Follow the step'))]
      : []));
  }

  #keepTab(open) {
    const list = this.moment.querySelector('[data-tabs]');
    if (!list) return;
    const tab = open && list.querySelector(`[data-tab="${CSS.escape(open)}"]`);
    if (tab) {
      for (const other of list.querySelectorAll('[data-tab]')) other.removeAttribute('aria-current');
      tab.setAttribute('aria-current', 'page');
    }
    document.dispatchEvent(new CustomEvent('tidu:new-tabs'));
  }

  #listen() {
    this.slider.addEventListener('input', () => {
      clearTimeout(this.sliding);
      this.sliding = setTimeout(() => this.go(Number(this.slider.value)), 60);
    });
    this.place.addEventListener('click', (event) => {
      const link = event.target.closest('a[data-go]');
      if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        this.#move(link.dataset.go);
      }
      if (event.target.closest('#replay-play')) this.play();
      if (event.target.closest('#replay-copy')) copy(String(this.#address()));
    });
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  #move(where) {
    switch (where) {
      case 'first': return this.go(1);
      case 'last': return this.go(this.last);
      case 'next': return this.go(this.seq + 1);
      case 'previous': return this.go(this.seq - 1);
      case 'next-human': return this.jump(+1, isHuman);
      case 'previous-human': return this.jump(-1, isHuman);
      default: return this.go(Number(where));
    }
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('dialog')) return;
    const inField = event.target.matches('input:not(#replay-slider), select, textarea, [contenteditable]');
    if (inField || event.target.closest('[role=tree], [role=tablist], .tidu-diagram-canvas')) return;
    if (document.body.dataset.shortcuts === 'off' && event.key.length === 1) return;
    const does = {
      ArrowRight: () => (event.shiftKey ? this.jump(+1, isHuman) : this.go(this.seq + 1)),
      ArrowLeft: () => (event.shiftKey ? this.jump(-1, isHuman) : this.go(this.seq - 1)),
      Home: () => this.go(1),
      End: () => this.go(this.last),
      '.': () => this.jump(+1, isIntervention),
      ',': () => this.jump(-1, isIntervention),
      l: () => copy(String(this.#address())),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }
}

const seqOf = (entry) => Number(entry.dataset.entry);
const isHuman = (entry) => entry.dataset.human === 'yes';
const isIntervention = (entry) => entry.dataset.lane === 'interventions';

function keepInView(entry) {
  const list = entry.closest('.tidu-entries');
  if (!list) return;
  const above = entry.offsetTop - list.offsetTop;
  if (above < list.scrollTop || above > list.scrollTop + list.clientHeight - 60) list.scrollTop = above - list.clientHeight / 3;
}

const place = document.getElementById('replay');
if (place) new Replay(place);
improveOutlines();
