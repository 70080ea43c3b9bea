// Every page: each part improves something that also works without scripts.

import '../css/app.css';
import 'bootstrap/js/dist/collapse.js';
import 'bootstrap/js/dist/dropdown.js';
import { improveRequests } from './requests.js';
import { watchDrafts } from './drafts.js';
import { refreshAnswers } from './refresh.js';
import { listenForShortcuts } from './shortcuts.js';
import { improveDialogs } from './dialogs.js';
import { improveTabs } from './tabs.js';
import { improveCopying } from './copying.js';
import { watchForChanges } from './live.js';

improveRequests();
watchDrafts();
refreshAnswers();
listenForShortcuts();
improveDialogs();
improveTabs();
improveCopying();
watchForChanges();
document.documentElement.classList.add('has-scripts');
