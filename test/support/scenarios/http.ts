import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { AgentapiServer } from '../differential/agentapi-program.ts';
import { recordEvents } from '../differential/event-recorder.ts';
import { observeReply, type Observation } from '../differential/observation.ts';
import {
  agent,
  described,
  problem,
  untilStable,
  withServer,
  type Scenario,
} from '../differential/scenario.ts';
import { rawRequest, type RawRequest } from '../raw-request.ts';

/** One request, and the answer that it must get. */
interface Case {
  readonly name: string;
  readonly request: RawRequest;
  readonly expected: unknown;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const ALLOWED_ORIGIN = 'http://localhost:3000';
const VARY_OF_PREFLIGHT = 'Access-Control-Request-Headers, Access-Control-Request-Method, Origin';

function message(body: unknown, headers: Readonly<Record<string, string>> = JSON_TYPE): RawRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method: 'POST', path: '/message', headers, body: text };
}

function text(status: number, body: string, headers: object = {}): object {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
    body,
  };
}

function empty(status: number, headers: object): object {
  return { status, headers, body: '' };
}

const invalid = (errors: readonly object[]): object =>
  problem(422, 'Unprocessable Entity', 'validation failed', errors);

const refused = (reason: string): object =>
  problem(500, 'Internal Server Error', 'unexpected error occurred', [
    { message: `failed to send message: ${reason}` },
  ]);

const WRONG_HOST = text(400, 'Invalid host header. Allowed hosts: localhost, 127.0.0.1, ::1\n');

function preflight(headers: Readonly<Record<string, string>>): RawRequest {
  return { method: 'OPTIONS', path: '/status', headers };
}

const MESSAGES: readonly Case[] = [
  {
    name: 'raw',
    request: message({ type: 'raw', content: '' }),
    expected: described('MessageResponseBody', { ok: true }),
  },
  {
    name: 'blank text',
    request: message({ type: 'user', content: ' \n ' }),
    expected: refused('message must not be empty'),
  },
  {
    name: 'other case and $schema',
    request: message({ Type: 'raw', CONTENT: '', $schema: 'https://example.com/x.json' }),
    expected: described('MessageResponseBody', { ok: true }),
  },
  {
    name: 'no content type',
    request: message({ type: 'raw', content: '' }, {}),
    expected: described('MessageResponseBody', { ok: true }),
  },
  {
    name: 'json with suffix',
    request: message({ type: 'raw', content: '' }, { 'content-type': 'application/merge-patch+json' }),
    expected: described('MessageResponseBody', { ok: true }),
  },
  {
    name: 'empty body',
    request: message(''),
    expected: problem(400, 'Bad Request', 'request body is required'),
  },
  {
    name: 'malformed',
    request: message('{"type":'),
    expected: problem(400, 'Bad Request', 'validation failed', [
      { message: expect.any(String), location: 'body', value: '{"type":' },
    ]),
  },
  {
    name: 'form',
    request: message('type=raw', { 'content-type': 'application/x-www-form-urlencoded' }),
    expected: problem(415, 'Unsupported Media Type', 'validation failed', [
      { message: 'unknown content type: application/x-www-form-urlencoded', location: 'body' },
    ]),
  },
  {
    name: 'missing member',
    request: message({ type: 'user' }),
    expected: invalid([
      {
        message: 'expected required property content to be present',
        location: 'body',
        value: { type: 'user' },
      },
    ]),
  },
  {
    name: 'wrong type',
    request: message({ type: 'user', content: 5 }),
    expected: invalid([{ message: 'expected string', location: 'body.content', value: 5 }]),
  },
  {
    name: 'bad enum',
    request: message({ type: 'shout', content: '' }),
    expected: invalid([{ message: expect.any(String), location: 'body.type', value: 'shout' }]),
  },
  {
    name: 'extra member',
    request: message({ type: 'raw', content: '', extra: 1 }),
    expected: invalid([
      {
        message: 'unexpected property',
        location: 'body.extra',
        value: { type: 'raw', content: '', extra: 1 },
      },
    ]),
  },
  {
    name: 'too large',
    request: message({ type: 'raw', content: 'x'.repeat(1_048_576) }),
    expected: problem(413, 'Request Entity Too Large', 'request body is too large limit=1048576 bytes'),
  },
];

const BOUNDARY = '----boundary-of-the-scenarios';

function upload(
  ...parts: readonly { readonly name: string; readonly file?: string; readonly data: string }[]
): RawRequest {
  const body = parts.map(({ name, file, data }) => {
    const fileName = file === undefined ? '' : `; filename="${file}"`;
    return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${fileName}\r\n\r\n${data}\r\n`;
  });
  return {
    method: 'POST',
    path: '/upload',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: `${body.join('')}--${BOUNDARY}--\r\n`,
  };
}

const stored = (path: string): object =>
  described('UploadResponseBody', { ok: true, filePath: `<uploads>/${path}` });

const UPLOADS: readonly Case[] = [
  {
    name: 'file',
    request: upload({ name: 'file', file: 'a note (1).txt', data: 'hello' }),
    expected: stored('2cf24dba5fb0a30e/a note (1).txt'),
  },
  {
    name: 'file in a folder',
    request: upload({ name: 'file', file: '../../etc/passwd', data: '' }),
    expected: stored('e3b0c44298fc1c14/passwd'),
  },
  {
    name: 'no file',
    request: upload({ name: 'other', data: 'hello' }),
    expected: invalid([{ message: 'File required', location: 'file' }]),
  },
  {
    name: 'two files',
    request: upload({ name: 'file', file: 'a', data: '1' }, { name: 'file', file: 'b', data: '2' }),
    expected: invalid([{ message: 'Multiple files received but only one was expected', location: 'file' }]),
  },
  {
    name: 'file of 10 MiB',
    request: upload({ name: 'file', file: 'a', data: 'x'.repeat(10_485_760) }),
    expected: stored(`${createHash('sha256').update('x'.repeat(10_485_760)).digest('hex').slice(0, 16)}/a`),
  },
];

const RULES: readonly Case[] = [
  {
    name: 'unknown path',
    request: { path: '/nothing' },
    expected: text(404, '404 page not found\n', { vary: 'Origin' }),
  },
  {
    name: 'trailing slash',
    request: { path: '/status/' },
    expected: text(404, '404 page not found\n', { vary: 'Origin' }),
  },
  {
    name: 'wrong method',
    request: { method: 'DELETE', path: '/status' },
    expected: empty(405, { allow: 'GET', vary: 'Origin' }),
  },
  {
    name: 'HEAD',
    request: { method: 'HEAD', path: '/messages' },
    expected: empty(405, { allow: 'GET', vary: 'Origin' }),
  },
  {
    name: 'other accept',
    request: { path: '/status', headers: { accept: 'text/html' } },
    expected: expect.objectContaining({ status: 200 }),
  },
  {
    name: 'foreign host',
    request: { path: '/status', headers: { host: 'example.com' } },
    expected: WRONG_HOST,
  },
  {
    name: 'foreign host of a stream',
    request: { path: '/events', headers: { host: 'example.com' } },
    expected: WRONG_HOST,
  },
  {
    name: 'host in capitals with another port',
    request: { path: '/status', headers: { host: 'LOCALHOST:1' } },
    expected: expect.objectContaining({ status: 200 }),
  },
  {
    name: 'host with a dot at the end',
    request: { path: '/status', headers: { host: 'localhost.' } },
    expected: WRONG_HOST,
  },
  {
    name: 'allowed origin',
    request: { path: '/status', headers: { origin: ALLOWED_ORIGIN } },
    expected: described(
      'StatusResponseBody',
      { status: 'stable', agent_type: 'custom', transport: 'pty' },
      {
        'access-control-allow-origin': ALLOWED_ORIGIN,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'Link',
      },
    ),
  },
  {
    name: 'foreign origin',
    request: { path: '/status', headers: { origin: 'https://example.com' } },
    expected: described('StatusResponseBody', { status: 'stable', agent_type: 'custom', transport: 'pty' }),
  },
  {
    name: 'allowed preflight',
    request: preflight({
      origin: ALLOWED_ORIGIN,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    }),
    expected: empty(200, {
      vary: VARY_OF_PREFLIGHT,
      'access-control-allow-origin': ALLOWED_ORIGIN,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '300',
    }),
  },
  {
    name: 'preflight with a foreign header',
    request: preflight({
      origin: ALLOWED_ORIGIN,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-other',
    }),
    expected: empty(200, { vary: VARY_OF_PREFLIGHT }),
  },
  {
    name: 'options without a question',
    request: preflight({ origin: ALLOWED_ORIGIN }),
    expected: expect.objectContaining({ status: 405 }),
  },
  {
    name: 'root',
    request: { path: '/' },
    expected: expect.objectContaining({
      status: 307,
      headers: expect.objectContaining({ location: '/chat/embed' }),
    }),
  },
  {
    name: 'chat',
    request: { path: '/chat/embed' },
    expected: expect.objectContaining({
      status: 301,
      headers: expect.objectContaining({ location: 'embed/' }),
    }),
  },
];

/** Pages and documents, of which only the essence is compared. */
const DOCUMENTS: readonly { readonly path: string; readonly look: (body: string) => Observation }[] = [
  { path: '/docs', look: (body) => /<title>(.*)<\/title>/u.exec(body)?.[1] ?? null },
  { path: '/chat/embed/', look: () => 'a page' },
  { path: '/openapi-3.0.json', look: (body) => sortedArrays(JSON.parse(body)) },
  { path: '/openapi.json', look: outline },
  { path: '/openapi.yaml', look: () => 'a document' },
  { path: '/openapi-3.0.yaml', look: () => 'a document' },
  { path: '/schemas/StatusResponseBody.json', look: (body) => memberNames(JSON.parse(body), 'properties') },
  { path: '/schemas/Nothing.json', look: (body) => body.trim() },
];

/** Lists of an OpenAPI document have no order of their own. */
function sortedArrays(value: unknown): Observation {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value;
  if (Array.isArray(value)) {
    return value.map(sortedArrays).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object') throw new Error(`${typeof value} is no observation`);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, sortedArrays(item)]));
}

function memberNames(value: unknown, member: string): readonly string[] {
  const inner: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, member) : null;
  return typeof inner === 'object' && inner !== null ? Object.keys(inner).sort() : [];
}

function outline(body: string): Observation {
  const document: unknown = JSON.parse(body);
  return { paths: memberNames(document, 'paths'), members: memberNames({ document }, 'document') };
}

async function observeDocument(
  server: AgentapiServer,
  { path, look }: (typeof DOCUMENTS)[number],
): Promise<Observation> {
  const { status, headers, body } = await rawRequest(server.port, { path });
  return { status, type: headers['content-type'] ?? null, content: look(body) };
}

async function observeStreams(server: AgentapiServer): Promise<Observation> {
  await using events = await recordEvents(server, '/events');
  await using screens = await recordEvents(server, '/internal/screen');
  const shown = ({ date: _date, ...headers }: Readonly<Record<string, unknown>>): Observation =>
    Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => !['connection', 'keep-alive', 'transfer-encoding'].includes(name))
        .map(([name, value]) => [name, String(value)]),
    );
  return { events: shown(events.headers), screens: shown(screens.headers) };
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  expires: '0',
  'x-accel-buffering': 'no',
  'x-proxy-buffering': 'no',
  vary: 'Origin',
};

/** The fixture of the reference. */
const OPENAPI: unknown = JSON.parse(
  readFileSync(
    fileURLToPath(
      new URL('../../../packages/agent-server/test/fixtures/agentapi/openapi.json', import.meta.url),
    ),
    'utf8',
  ),
);

function cases(name: string, rows: string, list: readonly Case[]): Scenario {
  return {
    name,
    rows,
    observe: async (program) =>
      withServer(program, { agent: agent('echo') }, async (server) => {
        await using events = await recordEvents(server, '/events');
        await untilStable(events);
        const seen: Record<string, Observation> = {};
        for (const { name: key, request } of list) seen[key] = await observeReply(server, request);
        return seen;
      }),
    expected: Object.fromEntries(list.map(({ name: key, expected }) => [key, expected])),
  };
}

/** The HTTP interface, request by request. */
export const HTTP_SCENARIOS: readonly Scenario[] = [
  cases('messages', 'AA-042, AA-043, AA-044, AA-045, AA-046, AA-047, AA-048, AA-049', MESSAGES),
  cases('uploads', 'AA-052, AA-053, AA-054, AA-055', UPLOADS),
  cases('rules', 'AA-024, AA-025, AA-028, AA-029, AA-030, AA-032, AA-033, AA-036', RULES),
  {
    name: 'documents',
    rows: 'AA-035, AA-037, AA-058',
    observe: async (program) =>
      withServer(program, { agent: agent('echo') }, async (server) => {
        const seen: Record<string, Observation> = { streams: await observeStreams(server) };
        for (const document of DOCUMENTS) seen[document.path] = await observeDocument(server, document);
        return seen;
      }),
    expected: {
      streams: { events: STREAM_HEADERS, screens: STREAM_HEADERS },
      '/docs': { status: 200, type: expect.stringMatching(/^text\/html/u), content: 'AgentAPI Reference' },
      '/chat/embed/': { status: 200, type: expect.stringMatching(/^text\/html/u), content: 'a page' },
      '/openapi-3.0.json': {
        status: 200,
        type: 'application/vnd.oai.openapi+json',
        content: sortedArrays(OPENAPI),
      },
      '/openapi.json': {
        status: 200,
        type: 'application/vnd.oai.openapi+json',
        content: {
          paths: ['/events', '/internal/screen', '/message', '/messages', '/status', '/upload'].filter(
            (path) => memberNames(OPENAPI, 'paths').includes(path),
          ),
          members: ['components', 'info', 'openapi', 'paths'],
        },
      },
      '/openapi.yaml': { status: 200, type: 'application/vnd.oai.openapi+yaml', content: 'a document' },
      '/openapi-3.0.yaml': { status: 200, type: 'application/vnd.oai.openapi+yaml', content: 'a document' },
      '/schemas/StatusResponseBody.json': {
        status: 200,
        type: 'application/json',
        content: ['$schema', 'agent_type', 'status', 'transport'],
      },
      '/schemas/Nothing.json': { status: 200, type: 'application/json', content: 'null' },
    },
  },
];
