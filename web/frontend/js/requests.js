// htmx, kept on a short lead: no eval, no injected styles, our CSRF token on every request.

import htmx from 'htmx.org';
import { csrfToken } from './http.js';
import { toast } from './page.js';
import { say } from './texts.js';

export function improveRequests() {
  Object.assign(htmx.config, {
    allowEval: false,
    allowScriptTags: false,
    includeIndicatorStyles: false,
    selfRequestsOnly: true,
    historyCacheSize: 0,
    scrollIntoViewOnBoost: false,
  });
  document.addEventListener('htmx:configRequest', (event) => {
    event.detail.headers['X-CSRFToken'] = csrfToken();
  });
  document.addEventListener('htmx:sendError', () => {
    toast(say('网络中断：显示的仍是上一次的数据', 'The network is down: what you see is the last data'), { kind: 'danger' });
  });
  document.addEventListener('htmx:responseError', (event) => {
    toast(problemTitle(event.detail.xhr), { kind: 'danger' });
  });
}

function problemTitle(xhr) {
  try {
    const problem = JSON.parse(xhr.responseText);
    return problem.detail || problem.title;
  } catch {
    return say(`请求未成功（${xhr.status}）`, `The request did not succeed (${xhr.status})`);
  }
}
