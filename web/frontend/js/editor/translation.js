// The Chinese of the drawing tools: the community's dictionary, and ours for what it lacks.

import modeler from 'bpmn-js-i18n-zh/lib/bpmn-js/index.js';
import panel from 'bpmn-js-i18n-zh/lib/properties-panel/index.js';
import zeebe from 'bpmn-js-i18n-zh/lib/zeebe-properties-panel/index.js';
import own from './dictionary.json';
import { isChinese } from '../texts.js';

const dictionary = { ...modeler, ...panel, ...zeebe, ...own };

/** The text in Chinese where there is one, with its `{places}` filled in. */
export function translate(template, places = {}) {
  const text = (isChinese && dictionary[template]) || template;
  return text.replace(/{([^}]+)}/g, (whole, name) => places[name] ?? whole);
}

export const translation = { translate: ['value', translate] };
