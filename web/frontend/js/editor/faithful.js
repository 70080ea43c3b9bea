// What the drawing tool changes by itself when it opens a file is written again as it was read.

/* What bpmn-moddle takes for understood, and leaves out, although BPMN does not. */
const NOT_UNDERSTOOD = [['bpmndi:BPMNEdge', 'bpmndi:messageVisibleKind']];

class Faithful {
  constructor(eventBus, moddle, elementRegistry) {
    this.elementRegistry = elementRegistry;
    for (const [type, name] of NOT_UNDERSTOOD) delete moddle.registry.typeMap[type].properties.find((one) => one.name === name).default;
    eventBus.on('import.parse.complete', ({ definitions, warnings }) => { if (definitions) this.#parsed(definitions, warnings); });
    eventBus.on('import.done', ({ error }) => { if (!error) this.#drawn(); });
    eventBus.on('saveXML.start', 500, () => this.#restore()); // after the parts were brought in order
    eventBus.on('saveXML.serialized', ({ xml }) => withReturns(xml));
    eventBus.on('saveXML.done', () => this.#continue());
  }

  #parsed(definitions, warnings) {
    const diagrams = (definitions.diagrams ?? []).filter((diagram) => diagram.plane);
    const parts = diagrams.flatMap(({ plane }) => plane.get('planeElement').map((part) => ({ part, plane })));
    this.definitions = definitions;
    this.diagrams = new Set(definitions.diagrams);
    this.planes = new Map(parts.map(({ part, plane }) => [part, plane]));
    this.points = new Map(parts.flatMap(({ part }) => pointsOf(part)).map((point) => [point, { x: point.x, y: point.y }]));
    this.unmarked = parts.map(({ part }) => part).filter((part) => part.isMarkerVisible === undefined);
    this.unresolved = warnings.filter((one) => one.element && one.property && one.value);
    this.undrawn = [];
    this.unfolded = [];
  }

  /* Now it shows which parts found no place on the canvas, and which got a diagram of their own. */
  #drawn() {
    const drawn = new Set(this.elementRegistry.getAll().map(({ di }) => di));
    this.undrawn = [...this.planes].filter(([part]) => !drawn.has(part));
    this.unfolded = this.definitions.diagrams.filter((diagram) => !this.diagrams.has(diagram)).map((diagram) => this.#unfolded(diagram));
  }

  /* A collapsed sub-process whose inside was drawn beside it: where it came from, and how far it was moved. */
  #unfolded(diagram) {
    const parts = diagram.plane.get('planeElement');
    const points = parts.flatMap(pointsOf).filter((point) => this.points.has(point));
    const moved = new Map(points.map((point) => [point, { x: point.x, y: point.y, was: this.points.get(point) }]));
    const [first] = moved.values();
    const by = first ? { x: first.was.x - first.x, y: first.was.y - first.y } : { x: 0, y: 0 };
    return { diagram, home: this.planes.get(parts[0]), moved, by };
  }

  #restore() {
    this.undo = [];
    for (const part of this.unmarked) if (part.isMarkerVisible === true) this.#set(part, 'isMarkerVisible', undefined);
    for (const { element, property, value } of this.unresolved) this.#name(element, property, value);
    for (const one of this.unfolded) this.#fold(one);
    for (const [part, plane] of this.undrawn) {
      const parts = plane.get('planeElement');
      if (!parts.includes(part) && stillThere(part.bpmnElement)) parts.push(part);
    }
  }

  /* Puts the inside of a sub-process back beside it; what somebody drew into an empty one stays a diagram. */
  #fold({ diagram, home, moved, by }) {
    const { diagrams } = this.definitions;
    const parts = diagram.plane.get('planeElement');
    if (!diagrams.includes(diagram) || (parts.length && !home)) return;
    diagrams.splice(diagrams.indexOf(diagram), 1);
    this.undo.push(() => diagrams.push(diagram));
    if (!home) return;
    const before = home.get('planeElement');
    home.set('planeElement', [...before, ...parts]);
    this.undo.push(() => home.set('planeElement', before));
    for (const point of parts.flatMap(pointsOf)) {
      const [{ x, y }, known] = [point, moved.get(point)];
      const stayed = known?.x === x && known.y === y;
      Object.assign(point, stayed ? known.was : { x: x + by.x, y: y + by.y });
      this.undo.push(() => Object.assign(point, { x, y }));
    }
  }

  /* Names what the file refers to and does not hold. */
  #name(element, property, id) {
    const now = element.get(property);
    if (Array.isArray(now)) this.#set(element, property, [...now, { id }]);
    else if (now === undefined) this.#set(element, property, { id });
  }

  #set(element, property, value) {
    const before = element.get(property);
    element.set(property, value);
    this.undo.push(() => element.set(property, before));
  }

  /* Back to what the canvas works with. */
  #continue() {
    for (const step of (this.undo ?? []).reverse()) step();
    this.undo = [];
  }
}

Faithful.$inject = ['eventBus', 'moddle', 'elementRegistry'];

const pointsOf = (part) => part.waypoint ?? (part.bounds ? [part.bounds] : []);
const stillThere = (element) => !element || !element.$parent || rootOf(element).$type === 'bpmn:Definitions';
const rootOf = (element) => (element.$parent ? rootOf(element.$parent) : element);

/* A carriage return that is not written as a character reference is read as something else. */
const withReturns = (xml) => xml.replace(/<!\[CDATA\[[\s\S]*?\]\]>|\r/g,
  (found) => (found === '\r' ? '&#13;' : found.replaceAll('\r', ']]>&#13;<![CDATA[')));

export const faithful = { __init__: ['faithful'], faithful: ['type', Faithful] };
