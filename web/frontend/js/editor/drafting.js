// Saves one file of the draft: 3 s after the last change, never over somebody else's work.

import { send, text } from '../http.js';
import { make, announce } from '../page.js';
import { say, timeOfDay } from '../texts.js';

const QUIET = 3000;

export class Drafting extends EventTarget {
  /** `read()` gives the file's present text, `load(text)` replaces what is on the screen. */
  constructor({ place, canEdit, read, load }) {
    super();
    Object.assign(this, { place, canEdit, read, load });
    this.url = place.dataset.fileUrl;
    this.revision = place.dataset.revision;
    this.status = document.querySelector('[data-save-status]');
    this.dirty = false;
    window.addEventListener('beforeunload', (event) => { if (this.dirty) event.preventDefault(); });
    document.addEventListener('click', (event) => { if (event.target.closest('[data-save-now]')) this.save(); });
    for (const form of document.querySelectorAll('form[data-needs-saved]')) this.#saveBefore(form);
  }

  changed() {
    if (!this.canEdit) return;
    this.dirty = true;
    this.#say(say('有未保存的修改', 'Unsaved changes'));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), QUIET);
  }

  async save() {
    clearTimeout(this.timer);
    if (!this.canEdit || this.conflicted) return false;
    if (this.saving) { this.again = true; return this.saving; }
    this.saving = this.#put();
    const done = await this.saving;
    this.saving = null;
    if (this.again) { this.again = false; return this.save(); }
    return done;
  }

  async #put() {
    this.dirty = false;
    this.#say(say('正在保存…', 'Saving…'));
    try {
      const { data, revision } = await send('PUT', this.url, { body: { content: await this.read() }, revision: this.revision });
      this.#now(data?.revision ?? revision);
      this.#say(say(`已保存 ${timeOfDay(data?.savedAt)} · 第 ${this.revision} 稿`, `Saved ${timeOfDay(data?.savedAt)} · revision ${this.revision}`));
      this.dispatchEvent(new Event('saved'));
      return true;
    } catch (refused) {
      this.dirty = true;
      if (refused.status === 412) this.#conflict(refused.problem);
      else this.#say(say(`未保存：${refused.message}`, `Not saved: ${refused.message}`), true);
      return false;
    }
  }

  #now(revision) {
    this.revision = revision;
    for (const field of document.querySelectorAll('input[name=revision]')) field.value = revision;
  }

  #say(sentence, failed = false) {
    if (!this.status) return;
    this.status.textContent = sentence;
    this.status.classList.toggle('is-failed', failed);
  }

  /* Submitting, approving and publishing speak of the saved draft, so save first. */
  #saveBefore(form) {
    form.addEventListener('submit', async (event) => {
      if (!this.dirty) return;
      event.preventDefault();
      if (await this.save()) form.requestSubmit(event.submitter ?? undefined);
    });
  }

  #conflict(problem) {
    this.conflicted = true;
    const current = problem.current ?? problem;
    const who = current.by?.name ?? current.by ?? say('另一人', 'somebody else');
    const when = current.savedAt ? timeOfDay(current.savedAt) : '';
    const sentence = say(`${who} ${when} 已保存第 ${current.revision ?? '?'} 稿；您的修改尚未保存，仍在屏幕上。`,
      `${who} saved revision ${current.revision ?? '?'} ${when}; your changes are not saved and still on the screen.`);
    const button = (label, style, action) => make('button', { type: 'button', class: `btn btn-sm ${style}`, onclick: action }, label);
    const settle = () => { this.conflicted = false; box.remove(); };
    const box = make('div', { class: 'alert alert-warning tidu-editor-conflict', role: 'alert' },
      make('span', {}, sentence),
      button(say('载入对方的', 'Load theirs'), 'btn-primary', async () => {
        await this.load(await text(this.url));
        this.#now(current.revision);
        this.dirty = false;
        settle();
        this.#say(say('已载入对方的修改', 'Their changes are loaded'));
      }),
      button(say('用我的覆盖', 'Overwrite with mine'), 'btn-outline-danger', () => {
        this.#now(current.revision);
        settle();
        this.save();
      }));
    this.place.before(box);
    this.#say(say('未保存：有冲突', 'Not saved: conflict'), true);
    announce(sentence);
  }
}
