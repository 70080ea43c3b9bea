// Dialogs with a mandatory reason, and plain questions before what cannot be undone.

import { make } from './page.js';
import { say } from './texts.js';

export function improveDialogs() {
  document.addEventListener('click', (event) => {
    const opener = event.target.closest('[data-dialog]');
    if (opener) open(event, document.getElementById(opener.dataset.dialog));
    if (event.target.closest('[data-dialog-close]')) event.target.closest('dialog')?.close();
    const asking = event.target.closest('[data-confirm]');
    if (asking && !asking.dataset.confirmed) ask(event, asking);
  });
  for (const area of document.querySelectorAll('dialog textarea[name=reason][required]')) checkReason(area);
}

function open(event, dialog) {
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  dialog.showModal();
  dialog.querySelector('textarea, select, input:not([type=hidden])')?.focus();
}

function checkReason(area) {
  const least = Number(area.getAttribute('minlength') ?? 5);
  const check = () => area.setCustomValidity(area.value.trim().length < least
    ? say(`请写明理由（至少 ${least} 个字）`, `Please give a reason (at least ${least} characters)`) : '');
  area.addEventListener('input', check);
  check();
}

function ask(event, button) {
  event.preventDefault();
  const yes = make('button', { type: 'button', class: 'btn btn-primary' }, say('确定', 'Yes'));
  const dialog = make('dialog', { class: 'tidu-dialog' },
    make('p', {}, button.dataset.confirm),
    make('form', { method: 'dialog', class: 'd-flex gap-2 justify-content-end' },
      make('button', { class: 'btn btn-outline-secondary' }, say('取消', 'Cancel')), yes));
  yes.addEventListener('click', () => {
    dialog.close();
    button.dataset.confirmed = 'yes';
    button.click();
    delete button.dataset.confirmed;
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
