// Keeps what depends on answers up to date: fields that appear or vanish, and values the server computes.
//
// The server draws the form anew from what stands in it, exactly as its "update" button does without
// scripts. If the same questions are asked, only the computed values are exchanged; otherwise all of them
// are, and what was typed meanwhile, chosen files and the focus stay.

const PAUSE = 250;
const ASKING = 'input[type=radio], input[type=checkbox], input[type=number], input[inputmode=decimal], input[type=date], select';

export function refreshAnswers() {
  for (const form of document.querySelectorAll('form[data-draft-url]')) watch(form);
}

function watch(form) {
  let waiting;
  let latest = 0;
  form.addEventListener('change', (event) => {
    if (!event.target.matches(ASKING)) return;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const asked = ++latest;
      const sent = valuesById(form);
      const fresh = await drawn(form);
      if (fresh && asked === latest) exchange(form, fresh, sent);
    }, PAUSE);
  });
}

async function drawn(form) {
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  body.set('_again', '1');
  try {
    const answer = await fetch(form.action, { method: 'POST', body, credentials: 'same-origin' });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-fields]');
  } catch {
    return null; // the network is away: the form still works, the server computes at the latest on submit
  }
}

function exchange(form, fresh, sent) {
  const fields = form.querySelector('[data-fields]');
  if (names(fields) === names(fresh)) {
    for (const output of fields.querySelectorAll('output[id]')) {
      const other = fresh.querySelector(`#${CSS.escape(output.id)}`);
      if (other) output.textContent = other.textContent;
    }
    return;
  }
  const focused = document.activeElement?.id;
  keepFiles(fields, fresh);
  const now = valuesById(form);
  fields.replaceChildren(...document.adoptNode(fresh).childNodes);
  for (const [id, value] of now) if (sent.get(id) !== value) restore(id, value);
  if (focused) document.getElementById(focused)?.focus();
}

const names = (fields) => [...new Set([...fields.querySelectorAll('[name]')].map((one) => one.name))].sort().join('\n');

function keepFiles(fields, fresh) {
  for (const picker of fields.querySelectorAll('input[type=file]')) {
    if (picker.files.length) fresh.querySelector(`#${CSS.escape(picker.id)}`)?.replaceWith(picker);
  }
}

function valuesById(form) {
  const typed = [...form.querySelectorAll('[data-fields] [id][name]:not([type=file])')];
  return new Map(typed.map((one) => [one.id, one.type === 'checkbox' || one.type === 'radio' ? one.checked : one.value]));
}

function restore(id, value) {
  const field = document.getElementById(id);
  if (!field) return;
  if (typeof value === 'boolean') field.checked = value;
  else field.value = value;
}
