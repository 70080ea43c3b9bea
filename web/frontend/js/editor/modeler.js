// The drawing tool put together: BPMN, the zeebe vocabulary, ours, lint, Chinese.

import BpmnModeler from 'bpmn-js/lib/Modeler.js';
import { BpmnPropertiesPanelModule, BpmnPropertiesProviderModule, ZeebePropertiesProviderModule } from 'bpmn-js-properties-panel';
import ZeebeBehaviorsModule from 'camunda-bpmn-js-behaviors/lib/camunda-cloud/index.js';
import { CreateAppendAnythingModule } from 'bpmn-js-create-append-anything';
import MinimapModule from 'diagram-js-minimap';
import LintModule from 'bpmn-js-bpmnlint';
import zeebe from 'zeebe-bpmn-moddle/resources/zeebe.json';
import tidu from '../../tidu.json';
import { faithful } from './faithful.js';
import { lintRules } from './lint.js';
import { translation } from './translation.js';
import { tiduProperties } from './tidu_properties.js';

export function makeModeler({ canvas, properties, canEdit }) {
  const modeler = new BpmnModeler({
    container: canvas,
    propertiesPanel: { parent: properties },
    linting: { bpmnlint: lintRules, active: true },
    moddleExtensions: { zeebe, tidu },
    additionalModules: [
      BpmnPropertiesPanelModule,
      BpmnPropertiesProviderModule,
      ZeebePropertiesProviderModule,
      ZeebeBehaviorsModule,
      CreateAppendAnythingModule,
      MinimapModule,
      LintModule,
      faithful,
      translation,
      tiduProperties,
    ],
  });
  if (!canEdit) modeler.get('commandStack').execute = () => {}; // a reader may look at everything
  return modeler;
}
