// What a process owner sets beyond the zeebe vocabulary: clause, names, four eyes, working days, outcomes.

import { TextFieldEntry, TextAreaEntry, CheckboxEntry, SelectEntry, ListGroup, isTextFieldEntryEdited, isTextAreaEntryEdited, isCheckboxEntryEdited, isSelectEntryEdited } from '@bpmn-io/properties-panel';
import { h } from '@bpmn-io/properties-panel/preact';
import { useService } from 'bpmn-js-properties-panel';
import { is } from 'bpmn-js/lib/util/ModelUtil.js';
import { say } from '../texts.js';
import * as extensions from './extensions.js';

const ABOVE_ZEEBE = 400;

class TiduProperties {
  constructor(propertiesPanel, bpmnFactory, commandStack) {
    extensions.useServices({ bpmnFactory, commandStack });
    propertiesPanel.registerProvider(ABOVE_ZEEBE, this);
  }

  getGroups(element) {
    return (groups) => {
      const own = [basis(element)];
      if (is(element, 'bpmn:UserTask')) own.push(rules(element), outcomes(element));
      return [...groups.slice(0, 1), ...own, ...groups.slice(1)];
    };
  }
}
TiduProperties.$inject = ['propertiesPanel', 'bpmnFactory', 'commandStack'];

export const tiduProperties = { __init__: ['tiduProperties'], tiduProperties: ['type', TiduProperties] };

/* 依据: the clause, the step code and the English name, kept as zeebe properties. */
function basis(element) {
  const field = (name, label, description) => ({
    id: `tidu-${name}`,
    element,
    isEdited: isTextFieldEntryEdited,
    component: textField({ label, description, get: () => extensions.property(element, name), set: (value) => extensions.setProperty(element, name, value) }),
  });
  return {
    id: 'tidu-basis',
    label: say('依据与名称', 'Basis and names'),
    element,
    entries: [
      field('clause', say('条款', 'Clause'), say('例如 F36', 'for example F36')),
      field('step', say('环节代码', 'Step code'), say('例如 GF-M5', 'for example GF-M5')),
      field('name:en', say('英文名称', 'English name')),
    ],
  };
}

function rules(element) {
  const attribute = (type, name) => ({
    get: () => extensions.attribute(element, type, name),
    set: (value) => extensions.setAttribute(element, type, name, value),
  });
  return {
    id: 'tidu-rules',
    label: say('办理规则', 'Rules of handling'),
    element,
    entries: [
      {
        id: 'tidu-workingDays', element, isEdited: isTextFieldEntryEdited,
        component: textField({ label: say('办理期限（工作日）', 'Deadline (working days)'), description: say('数字，或以 = 开头的 FEEL，如 =rules.days.completeness', 'A number, or FEEL beginning with ='), ...attribute('tidu:Deadline', 'workingDays') }),
      },
      {
        id: 'tidu-notSameAs', element, isEdited: isTextFieldEntryEdited,
        component: textField({ label: say('不得与下列环节同一人', 'Not the same person as in'), description: say('元素 id，用逗号分开', 'Element ids, separated by commas'), ...attribute('tidu:Task', 'notSameAs') }),
      },
      {
        id: 'tidu-result', element, isEdited: isTextFieldEntryEdited,
        component: textField({ label: say('结果存入变量', 'Result into variable'), description: say('不填则逐项并入案件数据', 'Empty: the values merge into the case data'), ...attribute('tidu:Task', 'result') }),
      },
      {
        id: 'tidu-bulkable', element, isEdited: isCheckboxEntryEdited,
        component: checkbox({ label: say('可批量办理', 'May be completed in bulk'), ...attribute('tidu:Task', 'bulkable') }),
      },
    ],
  };
}

/* 结果: one button of the task page per outcome. */
function outcomes(element) {
  const list = extensions.outcomes(element);
  return {
    id: 'tidu-outcomes',
    label: say('办理结果（按钮）', 'Outcomes (buttons)'),
    element,
    component: ListGroup,
    items: list.map((outcome, index) => ({
      id: `tidu-outcome-${index}`,
      label: outcome.label || outcome.value || say('（未命名）', '(unnamed)'),
      entries: outcomeEntries(element, outcome, index),
      autoFocusEntry: `tidu-outcome-${index}-value`,
      remove: remove(element, outcome),
    })),
    add: add(element),
  };
}

function outcomeEntries(element, outcome, index) {
  const of = (name) => ({
    get: () => outcome.get(name),
    set: (value) => extensions.change(element, outcome, { [name]: value || undefined }),
  });
  const entry = (name, component, isEdited) => ({ id: `tidu-outcome-${index}-${name}`, element, component, isEdited });
  return [
    entry('value', textField({ label: say('代码', 'Code'), description: say('存入数据的值，如 accepted', 'Stored in the data, e.g. accepted'), ...of('value') }), isTextFieldEntryEdited),
    entry('label', textField({ label: say('按钮文字', 'Label'), ...of('label') }), isTextFieldEntryEdited),
    entry('labelEn', textField({ label: say('按钮文字（英文）', 'Label (English)'), ...of('labelEn') }), isTextFieldEntryEdited),
    entry('style', select({
      label: say('样式', 'Style'),
      options: [['', '—'], ['primary', say('主要', 'primary')], ['secondary', say('普通', 'secondary')], ['danger', say('慎用', 'danger')]],
      ...of('style'),
    }), isSelectEntryEdited),
    entry('requires', textField({ label: say('必填字段', 'Required fields'), description: say('表单字段键，用逗号分开，如 opinion', 'Form field keys, separated by commas'), ...of('requires') }), isTextFieldEntryEdited),
    entry('consequence', textArea({ label: say('后果说明', 'What follows'), ...of('consequence') }), isTextAreaEntryEdited),
    entry('consequenceEn', textArea({ label: say('后果说明（英文）', 'What follows (English)'), ...of('consequenceEn') }), isTextAreaEntryEdited),
  ];
}

const add = (element) => (event) => {
  event.stopPropagation();
  extensions.addOutcome(element);
};

const remove = (element, outcome) => (event) => {
  event.stopPropagation();
  extensions.removeOutcome(element, outcome);
};

const field = (Entry, { label, description, get, set, options }) => function TiduField({ id, element }) {
  const debounce = useService('debounceInput');
  return h(Entry, {
    id, element, label, description, debounce,
    getValue: get,
    setValue: set,
    getOptions: options && (() => options.map(([value, text]) => ({ value, label: text }))),
  });
};

const textField = (given) => field(TextFieldEntry, given);
const textArea = (given) => field(TextAreaEntry, given);
const checkbox = (given) => field(CheckboxEntry, given);
const select = (given) => field(SelectEntry, given);
