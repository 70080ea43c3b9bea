// A form of the draft, edited with form-js.

import '../css/form_editor.css';
import { FormEditor } from '@bpmn-io/form-js-editor';
import { Drafting } from './editor/drafting.js';
import { text } from './http.js';
import { make } from './page.js';
import { say } from './texts.js';

const place = document.getElementById('form-editor');
if (place) open();

async function open() {
  const editor = new FormEditor({ container: place });
  const drafting = new Drafting({
    place,
    canEdit: place.dataset.editable === 'yes',
    read: () => `${JSON.stringify(editor.saveSchema(), null, 2)}\n`,
    load: (schema) => editor.importSchema(JSON.parse(schema)),
  });
  try {
    await editor.importSchema(JSON.parse(await text(place.dataset.fileUrl)));
  } catch (error) {
    place.replaceChildren(make('p', { class: 'alert alert-danger' }, say(`表单无法打开：${error.message}`, `The form cannot be opened: ${error.message}`)));
    return;
  }
  editor.on('changed', () => drafting.changed());
}
