// The drawing board: canvas, properties, outline, problems, saving.

import '../css/editor.css';
import { makeModeler } from './editor/modeler.js';
import { Drafting } from './editor/drafting.js';
import { Problems } from './editor/problems.js';
import { Changes } from './editor/changes.js';
import { LiveOutline } from './editor/live_outline.js';
import { listenToKeys } from './editor/keys.js';
import { tellUnkept, unkept } from './editor/unkept.js';
import { improveOutlines } from './outline.js';
import { text } from './http.js';
import { make } from './page.js';
import { say } from './texts.js';

const board = document.getElementById('editor');
if (board) open(board);
improveOutlines();

async function open(place) {
  const canEdit = place.dataset.editable === 'yes';
  const modeler = makeModeler({
    canvas: document.getElementById('canvas'),
    properties: document.getElementById('properties'),
    canEdit,
  });
  try {
    const drawn = await text(place.dataset.fileUrl);
    await modeler.importXML(drawn);
    tellUnkept(place, unkept(drawn, (await modeler.saveXML()).xml));
  } catch (error) {
    document.getElementById('canvas').replaceChildren(make('p', { class: 'alert alert-danger m-3' },
      say(`流程图无法打开：${error.message}`, `The drawing cannot be opened: ${error.message}`)));
    return;
  }
  fitBesidePalette(modeler);
  const drafting = new Drafting({
    place,
    canEdit,
    read: async () => (await modeler.saveXML({ format: true })).xml,
    load: (xml) => modeler.importXML(xml),
  });
  const problems = new Problems({ place: document.getElementById('problems'), modeler, url: place.dataset.validateUrl });
  const outline = new LiveOutline({ place: document.getElementById('outline'), modeler, canEdit });
  const changes = new Changes({
    place: document.getElementById('changes'),
    base: place.dataset.baseUrl,
    read: async () => (await modeler.saveXML()).xml,
    point: (id) => problems.point(id),
  });
  modeler.on('commandStack.changed', () => { drafting.changed(); outline.refresh(); });
  modeler.on('import.done', () => outline.refresh());
  drafting.addEventListener('saved', () => { problems.check(); changes.show(); });
  listenToKeys({ modeler, drafting, problems });
  outline.refresh();
  problems.check();
  changes.show();
  const wanted = new URLSearchParams(location.search).get('element');
  if (wanted) problems.point(wanted);
}

/* The palette covers the left edge of the canvas: leave it room; a large drawing opens at its start. */
function fitBesidePalette(modeler) {
  const canvas = modeler.get('canvas');
  canvas.zoom('fit-viewport', 'auto');
  const palette = document.querySelector('#canvas .djs-palette')?.offsetWidth ?? 0;
  const { clientWidth, clientHeight } = document.getElementById('canvas');
  if (!palette || clientWidth < 3 * palette) return;
  const { inner } = canvas.viewbox();
  const whole = Math.min((clientWidth - palette - 60) / inner.width, (clientHeight - 40) / inner.height, 1);
  const scale = Math.max(whole, 0.7);
  const [width, height] = [clientWidth / scale, clientHeight / scale];
  const y = inner.height < height ? inner.y - (height - inner.height) / 2 : inner.y - 20;
  canvas.viewbox({ x: inner.x - (palette + 40) / scale, y, width, height });
}
