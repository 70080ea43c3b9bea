// Tells that a list has changed, instead of moving rows under the pointer.

import { send } from './http.js';
import { make } from './page.js';
import { say } from './texts.js';

const EVERY = 30000;

export function watchForChanges() {
  for (const bar of document.querySelectorAll('[data-live-url]')) {
    setInterval(() => { if (!document.hidden) look(bar); }, EVERY);
  }
}

async function look(bar) {
  try {
    const { data } = await send('GET', bar.dataset.liveUrl);
    if (data?.changed > 0) show(bar, data.changed);
  } catch {
    /* The next look will tell; a list that cannot be refreshed is still a list. */
  }
}

function show(bar, count) {
  const button = make('button', { type: 'button', class: 'btn btn-sm btn-link', onclick: () => location.reload() },
    say(`${count} 项有更新，点击刷新`, `${count} changed, click to refresh`));
  bar.replaceChildren(button);
  bar.hidden = false;
}
