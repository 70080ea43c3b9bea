// Which structural rules are checked while drawing. The engine's own check has the last word.

import StaticResolver from 'bpmnlint/lib/resolver/static-resolver.js';
import conditionalFlows from 'bpmnlint/rules/conditional-flows.js';
import endEventRequired from 'bpmnlint/rules/end-event-required.js';
import eventBasedGateway from 'bpmnlint/rules/event-based-gateway.js';
import typedStart from 'bpmnlint/rules/event-sub-process-typed-start-event.js';
import labelRequired from 'bpmnlint/rules/label-required.js';
import linkEvent from 'bpmnlint/rules/link-event.js';
import noComplexGateway from 'bpmnlint/rules/no-complex-gateway.js';
import noDisconnected from 'bpmnlint/rules/no-disconnected.js';
import noDuplicateFlows from 'bpmnlint/rules/no-duplicate-sequence-flows.js';
import noJoinFork from 'bpmnlint/rules/no-gateway-join-fork.js';
import noImplicitSplit from 'bpmnlint/rules/no-implicit-split.js';
import noImplicitEnd from 'bpmnlint/rules/no-implicit-end.js';
import noOverlaps from 'bpmnlint/rules/no-overlapping-elements.js';
import singleBlankStart from 'bpmnlint/rules/single-blank-start-event.js';
import singleDefinition from 'bpmnlint/rules/single-event-definition.js';
import startRequired from 'bpmnlint/rules/start-event-required.js';
import subBlankStart from 'bpmnlint/rules/sub-process-blank-start-event.js';
import superfluousGateway from 'bpmnlint/rules/superfluous-gateway.js';
import { taskDeadline, taskClause } from './task_rules.js';

const bpmnlint = {
  'conditional-flows': [conditionalFlows, 'error'],
  'end-event-required': [endEventRequired, 'error'],
  'event-based-gateway': [eventBasedGateway, 'error'],
  'event-sub-process-typed-start-event': [typedStart, 'error'],
  'label-required': [labelRequired, 'warn'],
  'link-event': [linkEvent, 'error'],
  'no-complex-gateway': [noComplexGateway, 'error'],
  'no-disconnected': [noDisconnected, 'error'],
  'no-duplicate-sequence-flows': [noDuplicateFlows, 'error'],
  'no-gateway-join-fork': [noJoinFork, 'warn'],
  'no-implicit-split': [noImplicitSplit, 'error'],
  'no-implicit-end': [noImplicitEnd, 'warn'],
  'no-overlapping-elements': [noOverlaps, 'warn'],
  'single-blank-start-event': [singleBlankStart, 'error'],
  'single-event-definition': [singleDefinition, 'error'],
  'start-event-required': [startRequired, 'error'],
  'sub-process-blank-start-event': [subBlankStart, 'error'],
  'superfluous-gateway': [superfluousGateway, 'warn'],
};

const ours = {
  'task-deadline': [taskDeadline, 'info'],
  'task-clause': [taskClause, 'info'],
};

const rules = {};
const cache = {};
for (const [name, [rule, severity]] of Object.entries(bpmnlint)) {
  rules[name] = severity;
  cache[`rule:bpmnlint/${name}`] = rule;
}
for (const [name, [rule, severity]] of Object.entries(ours)) {
  rules[`tidu/${name}`] = severity;
  cache[`rule:bpmnlint-plugin-tidu/${name}`] = rule;
}

export const lintRules = { config: { rules }, resolver: new StaticResolver(cache) };
