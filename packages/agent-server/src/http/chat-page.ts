import { createHash } from 'node:crypto';

/** What a path at or below `/chat` answers. */
export type ChatFile =
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'page'; readonly html: string; readonly policy: string };

/**
 * The chat page: one document without further files, which reaches the API by relative addresses
 * and so works behind any path prefix; the redirects are relative for the same reason. Nothing is
 * loaded from elsewhere, and what the agent writes only ever becomes text.
 */
export function chatFile(path: string): ChatFile {
  switch (path) {
    case '/chat':
      return { kind: 'redirect', location: 'chat/embed/' };
    case '/chat/':
    case '/chat/embed':
      return { kind: 'redirect', location: 'embed/' };
    case '/chat/embed/':
      return { kind: 'page', html: page(CHAT, SCRIPT), policy: policy() };
    default:
      return { kind: 'page', html: page(MISSING, ''), policy: policy() };
  }
}

/** Only this page's own script and style run, and only this server is talked to. */
function policy(): string {
  return [
    "default-src 'none'",
    `script-src '${hashSource(SCRIPT)}'`,
    `style-src '${hashSource(STYLE)}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function page(body: string, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Agent chat</title>
<style>${STYLE}</style>
</head>
<body>
${body}
<script>${script}</script>
</body>
</html>
`;
}

const MISSING = '<main><h1>404</h1><p>This page could not be found.</p></main>';

const CHAT = `<header><strong id="agent">Agent</strong> <span id="status" role="status">connecting</span></header>
<main id="messages" aria-live="polite" aria-label="Conversation"></main>
<p id="notice" role="alert" hidden></p>
<footer>
<div id="keys" role="group" aria-label="Keys for the agent's terminal"></div>
<form id="form">
<textarea id="text" rows="2" aria-label="Message" placeholder="Message (Shift+Enter for a new line)"></textarea>
<label>Attach <input id="file" type="file"></label>
<button id="send">Send</button>
</form>
</footer>`;

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; height: 100dvh; display: flex; flex-direction: column; font: 15px/1.5 system-ui, sans-serif; }
header, footer { padding: 0.5rem 1rem; border: 0 solid #8886; border-width: 1px 0; }
#status { opacity: 0.75; }
#messages { flex: 1; overflow-y: auto; padding: 1rem; }
.message { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1rem; font: 13px/1.4 ui-monospace, monospace; }
.user { margin-left: 20%; padding: 0.5rem 0.75rem; border: 1px solid #8886; border-radius: 6px; }
#notice { margin: 0; padding: 0.5rem 1rem; background: #c0392b22; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin-top: 0.5rem; }
textarea { flex: 1 1 16rem; font: inherit; resize: vertical; }
button { font: inherit; }
`;

const SCRIPT = String.raw`
'use strict';
const api = new URL('../../', location.href);
const byId = (id) => document.getElementById(id);
const list = byId('messages'), text = byId('text'), notice = byId('notice'), file = byId('file');
const elements = new Map();

const say = (message) => { notice.textContent = message; notice.hidden = message === ''; };

const showMessage = ({ id, role, message }) => {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  let element = elements.get(id);
  if (!element) {
    element = document.createElement('div');
    elements.set(id, element);
    list.append(element);
  }
  element.className = role === 'user' ? 'message user' : 'message';
  element.textContent = message;
  if (atEnd) list.scrollTop = list.scrollHeight;
};

const connect = () => {
  const events = new EventSource(new URL('events', api));
  // The stream begins with the whole conversation.
  events.onopen = () => { elements.clear(); list.replaceChildren(); say(''); };
  events.addEventListener('message_update', (event) => showMessage(JSON.parse(event.data)));
  events.addEventListener('status_change', (event) => {
    const { status, agent_type } = JSON.parse(event.data);
    byId('agent').textContent = agent_type;
    byId('status').textContent = status === 'stable' ? 'waits for input' : 'works';
  });
  events.addEventListener('agent_error', (event) => say(JSON.parse(event.data).message));
  events.onerror = () => {
    events.close();
    byId('status').textContent = 'disconnected';
    setTimeout(connect, 3000);
  };
};

const request = async (path, body, headers) => {
  const response = await fetch(new URL(path, api), { method: 'POST', body, headers });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.errors?.[0]?.message ?? answer.detail ?? 'HTTP ' + response.status);
  return answer;
};
const post = (type, content) =>
  request('message', JSON.stringify({ type, content }), { 'Content-Type': 'application/json' });
const attempt = async (work) => {
  try { say(''); await work(); } catch (error) { say(error.message); }
};

const KEYS = { Esc: '\x1b', Enter: '\r', Tab: '\t', '↑': '\x1b[A', '↓': '\x1b[B', 'Ctrl+C': '\x03' };
for (const [name, keys] of Object.entries(KEYS)) {
  const button = document.createElement('button');
  button.textContent = name;
  button.onclick = () => attempt(() => post('raw', keys));
  byId('keys').append(button, ' ');
}

byId('form').onsubmit = (event) => {
  event.preventDefault();
  const content = text.value;
  if (content.trim() === '') return;
  byId('send').disabled = true;
  attempt(async () => { await post('user', content); text.value = ''; })
    .finally(() => { byId('send').disabled = false; });
};
text.onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!byId('send').disabled) byId('form').requestSubmit();
};
file.onchange = () => attempt(async () => {
  const form = new FormData();
  form.append('file', file.files[0]);
  const { filePath } = await request('upload', form);
  text.value += (text.value === '' ? '' : ' ') + '@"' + filePath + '" ';
  file.value = '';
  text.focus();
});
connect();
`;
