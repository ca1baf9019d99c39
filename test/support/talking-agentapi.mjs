#!/usr/bin/env node
// An agent server whose conversation is what a test says, under the command line of `agentapi server`. It begins with the
// messages in the file TALK_SCRIPT (a list of `{role, content}`). `POST /say` with `{content, id?, role?}` makes it say
// something, or change what it has said; `POST /be` with `{status}` makes it work or rest. A message of a user is answered with
// `echo: …`, unless HOLD is in it: then the agent works until `POST /be`. `POST /fail` with `{request, detail?, takes?, times?}` makes
// a request such as `GET /status` fail, always or so many times: it is answered with an error, or without `detail` never, and
// a message is taken all the same if the agent `takes` it. TALK_FAILURES does so from the beginning (`{REQUEST: {detail}}`);
// `GET /failed` says how often that happened: `{count}`.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const args = process.argv.slice(2);
const port = Number(args[args.indexOf('--port') + 1]);
const script = process.env.TALK_SCRIPT;
const begin = Date.parse('2026-01-02T03:04:05Z');
const messages = (script === undefined ? [] : JSON.parse(readFileSync(script, 'utf8'))).map(
  ({ role, content }, id) => ({ id, role, content, time: new Date(begin + id * 60_000).toISOString() }),
);
let status = 'stable';
const streams = new Set();
const failures = new Map(Object.entries(JSON.parse(process.env.TALK_FAILURES ?? '{}')));
let failed = 0;

const frame = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const update = ({ content, ...message }) => frame('message_update', { ...message, message: content });
const be = (next) => {
  status = next;
  tell(frame('status_change', { status, agent_type: 'custom' }));
};
const tell = (text) => {
  for (const stream of streams) stream.write(text);
};
const say = ({ id = messages.length, role = 'agent', content }) => {
  messages[id] = { id, role, content, time: messages[id]?.time ?? new Date().toISOString() };
  tell(update(messages[id]));
};

const hear = ({ type, content }) => {
  if (type !== 'user') return;
  say({ role: 'user', content });
  be('running');
  if (content.includes('HOLD')) return;
  say({ content: `echo: ${content}` });
  be('stable');
};

const answer = async (request, response) => {
  const json = (code, body) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const { pathname } = new URL(request.url, 'http://talking');
  const body = Buffer.concat(await request.toArray());
  const name = `${request.method} ${pathname}`;
  const failure = failures.get(name);
  if (failure !== undefined) {
    failed += 1;
    failure.times -= 1;
    if (failure.times === 0) failures.delete(name);
    if (failure.takes) hear(JSON.parse(body));
    if (failure.detail === undefined) return;
    return json(500, { title: 'Internal Server Error', status: 500, detail: failure.detail });
  }
  switch (name) {
    case 'GET /status':
      return json(200, { status, agent_type: 'custom', transport: 'pty' });
    case 'GET /messages':
      return json(200, { messages });
    case 'GET /events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const message of messages) response.write(update(message));
      response.write(frame('status_change', { status, agent_type: 'custom' }));
      streams.add(response);
      return response.on('close', () => streams.delete(response));
    case 'POST /say':
      say(JSON.parse(body));
      return json(200, { ok: true });
    case 'POST /be':
      be(JSON.parse(body).status);
      return json(200, { ok: true });
    case 'POST /fail': {
      const { request: which, ...failure } = JSON.parse(body);
      failures.set(which, failure);
      return json(200, { ok: true });
    }
    case 'GET /failed':
      return json(200, { count: failed });
    case 'POST /message':
      hear(JSON.parse(body));
      return json(200, { ok: true });
    default:
      return json(404, { title: 'Not Found', status: 404 });
  }
};

createServer((request, response) => void answer(request, response)).listen(port, '127.0.0.1');
