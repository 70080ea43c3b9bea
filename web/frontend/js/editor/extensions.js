// Reads and writes extension elements, every change one step that can be undone.

import { getBusinessObject } from 'bpmn-js/lib/util/ModelUtil.js';

let services;

/** Given once, when the modeler is made: `bpmnFactory` and `commandStack`. */
export function useServices(given) { services = given; }

const find = (element, type) => getBusinessObject(element).get('extensionElements')?.get('values').find((one) => one.$type === type);

function make(type, properties, parent) {
  const made = services.bpmnFactory.create(type, properties);
  made.$parent = parent;
  return made;
}

/* Commands that make sure that `type` stands in the element's extension elements. */
function ensured(element, type) {
  const object = getBusinessObject(element);
  let holder = object.get('extensionElements');
  const commands = [];
  if (!holder) {
    holder = make('bpmn:ExtensionElements', { values: [] }, object);
    commands.push(updating(element, object, { extensionElements: holder }));
  }
  let found = find(element, type);
  if (!found) {
    found = make(type, {}, holder);
    commands.push(updating(element, holder, { values: [...holder.get('values'), found] }));
  }
  return { found, commands };
}

const updating = (element, moddleElement, properties) => ({ cmd: 'element.updateModdleProperties', context: { element, moddleElement, properties } });
const run = (commands) => services.commandStack.execute('properties-panel.multi-command-executor', commands);

export const attribute = (element, type, name) => find(element, type)?.get(name);

export function setAttribute(element, type, name, value) {
  const { found, commands } = ensured(element, type);
  run([...commands, updating(element, found, { [name]: value === '' || value === false ? undefined : value })]);
}

export const property = (element, name) => find(element, 'zeebe:Properties')?.get('properties').find((one) => one.name === name)?.value;

export function setProperty(element, name, value) {
  const { found, commands } = ensured(element, 'zeebe:Properties');
  const others = found.get('properties').filter((one) => one.name !== name);
  const mine = value ? [make('zeebe:Property', { name, value }, found)] : [];
  run([...commands, updating(element, found, { properties: [...others, ...mine] })]);
}

export const outcomes = (element) => find(element, 'tidu:Outcomes')?.get('outcomes') ?? [];

export function addOutcome(element) {
  const { found, commands } = ensured(element, 'tidu:Outcomes');
  run([...commands, updating(element, found, { outcomes: [...found.get('outcomes'), make('tidu:Outcome', { value: '' }, found)] })]);
}

export function removeOutcome(element, outcome) {
  const found = find(element, 'tidu:Outcomes');
  run([updating(element, found, { outcomes: found.get('outcomes').filter((one) => one !== outcome) })]);
}

/** Changes attributes of a part that stands there already. */
export const change = (element, part, properties) => run([updating(element, part, properties)]);
