// Single-key shortcuts for officers: never while typing, and everybody can turn them off.

import { make } from './page.js';
import { say } from './texts.js';

const SWITCH = 'tidu.shortcuts';

export function listenForShortcuts() {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (withControl(event)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || !areOn()) return;
    if (document.querySelector('dialog[open]')) return;
    const done = singleKey(event.key, event);
    if (done) event.preventDefault();
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-shortcut-help]')) help();
  });
}

const areOn = () => document.body.dataset.shortcuts !== 'off' && localStorage.getItem(SWITCH) !== 'off';

const isTyping = (target) => target instanceof HTMLElement
  && (target.isContentEditable || (target.matches('input, select, textarea') && !target.matches('[type=checkbox], [type=radio], [type=button], [type=submit]'))
  || Boolean(target.closest('.djs-container, [role=tree], [role=slider], .tidu-no-shortcuts')));

function withControl(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
  const form = event.target.closest?.('form') ?? document.querySelector('form[data-draft-url]');
  if (event.key === 'Enter' && form?.matches('[data-draft-url], [data-submit-by-keys]')) {
    const button = form.querySelector('button[data-primary], button.btn-primary[type=submit], button.btn-primary:not([type])');
    if (!button) return false;
    event.preventDefault();
    button.click();
    return true;
  }
  if (event.key.toLowerCase() === 's' && form?.matches('[data-draft-url]')) {
    event.preventDefault();
    form.dispatchEvent(new CustomEvent('tidu:save-draft'));
    return true;
  }
  return false;
}

function singleKey(key, event) {
  const onControl = event.target.closest?.('a, button, summary, [role=tab]');
  switch (key) {
    case 'j': case 'J': return move(+1, event.shiftKey);
    case 'k': case 'K': return move(-1, event.shiftKey);
    case 'ArrowDown': return onRow(event.target) && move(+1, event.shiftKey);
    case 'ArrowUp': return onRow(event.target) && move(-1, event.shiftKey);
    case 'Enter': return !onControl && press(current()?.querySelector('a[data-open]'));
    case 'x': return toggle(current());
    case '?': help(); return true;
    default: return press(target(key));
  }
}

const rows = () => [...document.querySelectorAll('[data-rows] [data-row]')];
const current = () => document.querySelector('[data-row].is-current');
const onRow = (element) => Boolean(element.closest?.('[data-rows]'));

function move(by, extend) {
  const all = rows();
  if (!all.length) return false;
  const now = all.indexOf(current());
  const next = all[now < 0 ? 0 : Math.min(all.length - 1, Math.max(0, now + by))];
  if (extend) for (const row of [all[now], next]) toggle(row, true);
  for (const row of all) row.classList.toggle('is-current', row === next);
  next.querySelector('a[data-open], a, button')?.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
  return true;
}

function toggle(row, to) {
  const box = row?.querySelector('[data-select]');
  if (!box) return false;
  const before = box.checked;
  if (to === undefined || box.checked !== to) box.click();
  return box.checked !== before;
}

function target(key) {
  const selector = `[data-shortcut="${CSS.escape(key.length === 1 ? key.toLowerCase() : key)}"]`;
  const row = current();
  return row ? row.querySelector(selector) ?? outsideRows(selector) : outsideRows(selector) ?? document.querySelector(selector);
}

const outsideRows = (selector) => [...document.querySelectorAll(selector)].find((one) => !one.closest('[data-row]')) ?? null;

function press(element) {
  if (!element || element.disabled) return false;
  if (element.matches('input:not([type=checkbox]):not([type=radio]), select, textarea')) element.focus();
  else element.click();
  return true;
}

function help() {
  document.getElementById('tidu-keys')?.remove();
  const lines = new Map();
  if (rows().length) {
    lines.set('J / K', say('下一行 / 上一行', 'Next / previous row'));
    lines.set('Enter', say('打开', 'Open'));
    if (document.querySelector('[data-select]')) lines.set('X', say('选择', 'Select'));
  }
  for (const one of document.querySelectorAll('[data-shortcut]')) {
    lines.set(one.dataset.shortcut.toUpperCase(), one.dataset.shortcutLabel ?? one.getAttribute('aria-label') ?? one.textContent.trim());
  }
  if (document.querySelector('form[data-draft-url]')) {
    lines.set('Ctrl+Enter', say('提交', 'Submit'));
    lines.set('Ctrl+S', say('保存草稿', 'Save the draft'));
  }
  lines.set('?', say('本说明', 'This help'));
  const off = make('input', { type: 'checkbox', class: 'form-check-input', id: 'tidu-keys-on', checked: areOn() });
  off.addEventListener('change', () => localStorage.setItem(SWITCH, off.checked ? 'on' : 'off'));
  const dialog = make('dialog', { id: 'tidu-keys', class: 'tidu-dialog', 'aria-labelledby': 'tidu-keys-title' },
    make('h2', { class: 'h5', id: 'tidu-keys-title' }, say('键盘快捷键', 'Keyboard shortcuts')),
    make('dl', { class: 'tidu-keys' }, ...[...lines].flatMap(([keys, does]) => [make('dt', {}, make('kbd', {}, keys)), make('dd', {}, does)])),
    make('label', { class: 'form-check', for: 'tidu-keys-on' }, off, ' ', say('启用单键快捷键（输入时从不生效）', 'Single-key shortcuts on (never while typing)')),
    make('form', { method: 'dialog', class: 'text-end mt-3' }, make('button', { class: 'btn btn-primary' }, say('关闭', 'Close'))));
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.showModal();
}
