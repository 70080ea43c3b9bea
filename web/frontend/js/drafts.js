// Keeps what people type: server drafts on blur and every 5 s, and a guard against leaving unsaved.

import { send } from './http.js';
import { make, announce } from './page.js';
import { say, timeOfDay } from './texts.js';

const EVERY = 5000;
const UNSENT = new Set(['csrf_token', 'outcome', 'idempotency_key']);

export function watchDrafts() {
  for (const form of document.querySelectorAll('form[data-draft-url]')) watch(form);
  for (const form of document.querySelectorAll('form[data-guard]:not([data-draft-url])')) guard(form);
}

/** The form's values by field name: a string, a list for repeated names, a boolean for one checkbox. */
export function valuesOf(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name || UNSENT.has(field.name) || field.disabled || field.type === 'file') continue;
    if (field.type === 'submit' || field.type === 'button' || field.type === 'password') continue;
    const group = form.querySelectorAll(`[name="${CSS.escape(field.name)}"]`);
    if (field.type === 'checkbox' && group.length === 1) values[field.name] = field.checked;
    else if (field.type === 'checkbox') values[field.name] = [...group].filter((box) => box.checked).map((box) => box.value);
    else if (field.type === 'radio') { if (field.checked) values[field.name] = field.value; }
    else if (field.multiple) values[field.name] = [...field.selectedOptions].map((option) => option.value);
    else if (group.length > 1) values[field.name] = [...group].map((one) => one.value);
    else values[field.name] = field.value;
  }
  return values;
}

function watch(form) {
  const draft = {
    form,
    revision: form.dataset.draftRev ?? '0',
    saved: JSON.stringify(valuesOf(form)),
    inFlight: false,
    inConflict: false,
    leaving: false,
  };
  form.addEventListener('focusout', () => save(draft));
  form.addEventListener('tidu:save-draft', () => save(draft, { always: true }));
  form.addEventListener('submit', () => { draft.leaving = true; });
  setInterval(() => save(draft), EVERY);
  window.addEventListener('beforeunload', (event) => {
    if (!draft.leaving && isDirty(draft)) event.preventDefault();
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) save(draft); });
}

function guard(form) {
  const before = JSON.stringify(valuesOf(form));
  let leaving = false;
  form.addEventListener('submit', () => { leaving = true; });
  window.addEventListener('beforeunload', (event) => {
    if (!leaving && JSON.stringify(valuesOf(form)) !== before) event.preventDefault();
  });
}

const isDirty = (draft) => JSON.stringify(valuesOf(draft.form)) !== draft.saved;

async function save(draft, { always = false } = {}) {
  if (draft.inFlight || draft.inConflict || draft.leaving) return;
  if (!always && !isDirty(draft)) return;
  const values = valuesOf(draft.form);
  draft.inFlight = true;
  show(draft, say('正在保存…', 'Saving…'));
  try {
    const { data, revision } = await send('PUT', draft.form.dataset.draftUrl, { body: { values }, revision: draft.revision });
    draft.revision = data?.revision ?? revision ?? draft.revision;
    draft.saved = JSON.stringify(values);
    show(draft, say(`已保存 ${timeOfDay(data?.savedAt)}`, `Saved ${timeOfDay(data?.savedAt)}`));
    if (always) announce(say('草稿已保存', 'Draft saved'));
  } catch (refused) {
    if (refused.status === 412) conflict(draft, values, refused.problem);
    else show(draft, say(`未保存：${refused.message}`, `Not saved: ${refused.message}`), 'is-failed');
  } finally {
    draft.inFlight = false;
  }
}

function show(draft, sentence, state = '') {
  const place = draft.form.querySelector('[data-draft-status]') ?? document.querySelector('[data-draft-status]');
  if (!place) return;
  place.textContent = sentence;
  place.classList.toggle('is-failed', state === 'is-failed');
}

/* The same draft was changed elsewhere: the person chooses field by field, nothing is lost. */
function conflict(draft, mine, problem) {
  draft.inConflict = true;
  const current = problem.current ?? {};
  const theirs = current.values ?? {};
  const differing = Object.keys(theirs).filter((name) => name in mine && JSON.stringify(mine[name]) !== JSON.stringify(theirs[name]));
  const chosen = new Map();
  const box = make('section', { class: 'alert alert-warning tidu-conflict', role: 'alert', tabindex: '-1' },
    make('h2', { class: 'h6' }, say('同一份草稿在别处被修改', 'The same draft was changed elsewhere')),
    make('p', {}, sentence(current, differing.length)));
  if (differing.length) box.append(choices(draft.form, mine, theirs, differing, chosen));
  const resolve = (names) => {
    for (const name of names) put(draft.form, name, theirs[name]);
    draft.revision = current.revision ?? problem.revision ?? draft.revision;
    draft.inConflict = false;
    box.remove();
    save(draft, { always: true });
  };
  const all = () => resolve(Object.keys(theirs));
  const picked = () => resolve(differing.filter((name) => chosen.get(name) === 'theirs'));
  const button = (label, action, style) => make('button', { type: 'button', class: `btn btn-sm ${style} me-2`, onclick: action }, label);
  if ('revision' in current) {
    box.append(button(say('按以上选择保存', 'Save as chosen'), picked, 'btn-primary'));
    box.append(button(say('全部采用对方的', 'Take all of theirs'), all, 'btn-outline-secondary'));
  } else {
    box.append(button(say('重新载入草稿', 'Reload the draft'), () => { draft.leaving = true; location.reload(); }, 'btn-primary'));
  }
  draft.form.prepend(box);
  box.focus();
  show(draft, say('未保存：有冲突', 'Not saved: conflict'), 'is-failed');
}

function sentence(current, count) {
  const who = current.by?.name ?? current.by ?? say('另一个窗口', 'another window');
  const when = current.savedAt ? timeOfDay(current.savedAt) : '';
  return say(`${who} ${when} 保存了较新的一版${count ? `，有 ${count} 项与您的不同：` : '。'}`,
    `${who} saved a newer version ${when}${count ? `; ${count} fields differ from yours:` : '.'}`);
}

function choices(form, mine, theirs, names, chosen) {
  const row = (name) => {
    const label = form.querySelector(`label[for="${CSS.escape(form.elements[name]?.id ?? '')}"]`)?.textContent ?? name;
    const choice = (whose, value) => {
      const radio = make('input', { type: 'radio', class: 'form-check-input me-1', name: `conflict-${name}`, form: 'tidu-no-form', checked: whose === 'mine' });
      radio.addEventListener('change', () => chosen.set(name, whose));
      return make('td', {}, make('label', {}, radio, String(value)));
    };
    return make('tr', {}, make('th', { scope: 'row' }, label.trim()), choice('mine', mine[name]), choice('theirs', theirs[name]));
  };
  return make('table', { class: 'table table-sm' },
    make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, say('项目', 'Field')), make('th', { scope: 'col' }, say('我的', 'Mine')), make('th', { scope: 'col' }, say('对方的', 'Theirs')))),
    make('tbody', {}, ...names.map(row)));
}

function put(form, name, value) {
  const fields = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
  const list = [value].flat();
  fields.forEach((field, index) => {
    if (field.type === 'checkbox' && fields.length === 1) field.checked = Boolean(value);
    else if (field.type === 'checkbox' || field.type === 'radio') field.checked = list.includes(field.value);
    else if (field.multiple) for (const option of field.options) option.selected = list.includes(option.value);
    else field.value = list[fields.length > 1 ? index : 0] ?? '';
  });
}
