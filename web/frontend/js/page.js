// Small things every page has: messages, element building, language of status lines.

/** Builds an element: `make('button', {class: 'btn', type: 'button'}, 'text', child)`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const escapeName = (name) => CSS.escape(name);

/** Says a sentence to people who do not see the page change. */
export function announce(sentence) {
  let region = document.getElementById('tidu-announcer');
  if (!region) {
    region = make('div', { id: 'tidu-announcer', class: 'visually-hidden', 'aria-live': 'polite' });
    document.body.append(region);
  }
  region.textContent = '';
  requestAnimationFrame(() => { region.textContent = sentence; });
}

/** Shows a short message that goes away by itself; an error stays until it is closed. */
export function toast(sentence, { kind = 'success' } = {}) {
  let shelf = document.getElementById('tidu-toasts');
  if (!shelf) {
    shelf = make('div', { id: 'tidu-toasts', role: 'status', 'aria-live': 'polite' });
    document.body.append(shelf);
  }
  const close = make('button', { type: 'button', class: 'btn-close', 'aria-label': '×' });
  const box = make('div', { class: `tidu-toast alert alert-${kind}` }, make('span', {}, sentence), close);
  close.addEventListener('click', () => box.remove());
  shelf.append(box);
  if (kind !== 'danger') setTimeout(() => box.remove(), 6000);
}
