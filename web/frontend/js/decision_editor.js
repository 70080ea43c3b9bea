// A decision table of the draft, edited with dmn-js.

import '../css/decision_editor.css';
import DmnModeler from 'dmn-js/lib/Modeler.js';
import { Drafting } from './editor/drafting.js';
import { text } from './http.js';
import { make } from './page.js';
import { say } from './texts.js';
import { translation } from './editor/translation.js';

const place = document.getElementById('decision-editor');
if (place) open();

async function open() {
  const canEdit = place.dataset.editable === 'yes';
  const part = { additionalModules: [translation] };
  const modeler = new DmnModeler({
    container: place, drd: part, decisionTable: part, literalExpression: part, common: {},
  });
  const drafting = new Drafting({
    place,
    canEdit,
    read: async () => (await modeler.saveXML({ format: true })).xml,
    load: (xml) => show(xml),
  });
  const show = async (xml) => {
    await modeler.importXML(xml);
    const wanted = modeler.getViews().find((view) => view.type !== 'drd') ?? modeler.getViews()[0];
    await modeler.open(wanted);
  };
  modeler.on('views.changed', ({ views, activeView }) => {
    listViews(modeler, views, activeView);
    const viewer = modeler.getActiveViewer();
    viewer?.get('eventBus').on('commandStack.changed', () => drafting.changed());
  });
  try {
    await show(await text(place.dataset.fileUrl));
  } catch (error) {
    place.replaceChildren(make('p', { class: 'alert alert-danger' }, say(`决策表无法打开：${error.message}`, `The decision cannot be opened: ${error.message}`)));
  }
}

function listViews(modeler, views, active) {
  const names = { drd: say('关系图', 'Diagram') };
  document.getElementById('decision-views')?.replaceChildren(...views.map((view) => make('button', {
    type: 'button', class: `btn btn-sm ${view === active ? 'btn-primary' : 'btn-outline-secondary'}`,
    'aria-pressed': String(view === active), onclick: () => modeler.open(view),
  }, names[view.type] ?? view.element.name ?? view.element.id)));
}
