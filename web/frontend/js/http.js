// Requests to our own server: CSRF token, JSON, problem bodies (RFC 9457).

import { say } from './texts.js';

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? '';

/** What the server refused; `status` 0 means that it could not be reached. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

const unreachable = () => new Refused(0, {
  title: say('无法连接服务器', 'The server cannot be reached'),
  detail: say('网络中断，内容仍保留在本页。', 'The network is down; what you typed is still on this page.'),
});

const notJson = (response) => ({
  status: response.status,
  title: response.redirected || response.status === 401
    ? say('登录已失效，请重新登录', 'You are no longer signed in')
    : `HTTP ${response.status}`,
});

/** Sends `body` as JSON and returns `{data, revision}`; throws Refused. */
export async function send(method, url, { body, revision, headers = {} } = {}) {
  const sent = { Accept: 'application/json', 'X-CSRFToken': csrfToken(), ...headers };
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  if (revision !== undefined && revision !== null && revision !== '') sent['If-Match'] = `"${revision}"`;
  let response;
  try {
    response = await fetch(url, {
      method, headers: sent, credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw unreachable();
  }
  const isJson = (response.headers.get('content-type') || '').includes('json');
  const data = isJson ? await response.json() : null;
  if (!response.ok || (!isJson && response.status !== 204)) {
    throw new Refused(response.ok ? 401 : response.status, data ?? notJson(response));
  }
  return { data, revision: etag(response) ?? data?.revision };
}

const etag = (response) => response.headers.get('etag')?.replace(/^W\//, '').replaceAll('"', '') ?? undefined;

/** The text of one of our own files (a diagram, a table, a form), in the encoding that the answer names. */
export async function text(url) {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Refused(response.status, notJson(response));
  const [, encoding] = /charset=([\w-]+)/i.exec(response.headers.get('content-type') ?? '') ?? [];
  return new TextDecoder(encoding ?? 'utf-8').decode(await response.arrayBuffer());
}
