// Drawings on ordinary pages: `<div class="tidu-diagram" data-xml-url data-state-url>`.

import '../css/diagram.css';
import { DiagramView, connectOutline } from './diagram_view.js';
import { improveOutlines } from './outline.js';
import { send, text } from './http.js';
import { make } from './page.js';
import { say } from './texts.js';

improveOutlines();

for (const place of document.querySelectorAll('.tidu-diagram[data-xml-url]')) draw(place);

async function draw(place) {
  try {
    const [xml, state] = await Promise.all([text(place.dataset.xmlUrl), stateOf(place)]);
    const view = new DiagramView(place, { called: JSON.parse(place.dataset.called || '{}') });
    view.state = state;
    await view.open(xml);
    view.show(state);
    connectOutline(view, () => document.querySelector('.tidu-outline'));
    if (place.dataset.focus) view.point(place.dataset.focus);
    place.addEventListener('tidu:shown', () => view.frame());
    refitWhenShown(place, view);
  } catch (refused) {
    place.replaceChildren(make('p', { class: 'alert alert-warning m-3' }, say(`流程图无法显示：${refused.message}`, `The diagram cannot be shown: ${refused.message}`)));
  }
}

async function stateOf(place) {
  return place.dataset.stateUrl ? (await send('GET', place.dataset.stateUrl)).data : {};
}

/* A drawing opened inside a hidden tab has no size yet: fit it again when it gets one. */
function refitWhenShown(place, view) {
  let hadSize = place.clientWidth > 0;
  new ResizeObserver(() => {
    const hasSize = place.clientWidth > 0;
    if (hasSize && !hadSize) view.frame();
    hadSize = hasSize;
  }).observe(place);
}
