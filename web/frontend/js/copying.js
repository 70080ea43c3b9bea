// Buttons that copy a case number or a link.

import { toast } from './page.js';
import { say } from './texts.js';

export function improveCopying() {
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (button) await copy(button.dataset.copy);
  });
}

/** Copies `what` and says so; where the browser forbids it, shows the text to copy by hand. */
export async function copy(what) {
  try {
    await navigator.clipboard.writeText(what);
    toast(say(`已复制 ${what}`, `Copied ${what}`));
  } catch {
    toast(say(`请手工复制：${what}`, `Please copy by hand: ${what}`), { kind: 'warning' });
  }
}
