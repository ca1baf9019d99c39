import { rawRequest, type RawRequest } from '../raw-request.ts';
import type { AgentapiServer } from './agentapi-program.ts';

/** What was seen, as data that can be compared leaf by leaf. */
export type Observation =
  | string
  | number
  | boolean
  | null
  | readonly Observation[]
  | { readonly [name: string]: Observation };

/** How a message is carried, not what it says: every HTTP library has its own way. */
const TRANSPORT_HEADERS = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
]);

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Takes out what differs from run to run: ports, folders, times. Blanks at the end of a row fill it up to the
 * width of the terminal, which is compared where the screen is.
 */
export function normalised(value: unknown, server: Pick<AgentapiServer, 'port' | 'folder'>): Observation {
  if (typeof value === 'string') return normalisedText(value, server);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => normalised(item, server));
  if (typeof value !== 'object') throw new Error(`${typeof value} is no observation`);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normalised(item, server)]));
}

function normalisedText(text: string, { port, folder }: Pick<AgentapiServer, 'port' | 'folder'>): string {
  if (TIME.test(text)) return '<time>';
  return text
    .replaceAll(`:${port}`, ':<port>')
    .replaceAll(/[^"\s]*\/agentapi-uploads-[^/"\s]*/gu, '<uploads>')
    .replaceAll(folder, '<folder>')
    .replaceAll(/[ \t]+$/gmu, '');
}

/** One answer: status, headers but those of the transport, and the body, parsed where it is JSON. */
export async function observeReply(server: AgentapiServer, call: RawRequest): Promise<Observation> {
  const { status, headers, body } = await rawRequest(server.port, call);
  const type = headers['content-type'] ?? '';
  return normalised(
    {
      status,
      headers: Object.fromEntries(
        Object.entries(headers)
          .filter(([name]) => !TRANSPORT_HEADERS.has(name))
          .map(([name, value]): [string, string] => [name, valueOf(name, String(value))]),
      ),
      body: /json(?:;|$)/u.test(type) && body !== '' ? parsed(body) : body,
    },
    server,
  );
}

/** Lists whose items have no order; the names of headers have no case either. */
function valueOf(name: string, value: string): string {
  switch (name) {
    case 'vary':
    case 'allow':
      return value.split(/,\s*/u).sort().join(', ');
    case 'access-control-allow-headers':
      return value.toLowerCase().split(/,\s*/u).sort().join(', ');
    default:
      return value;
  }
}

function parsed(body: string): unknown {
  const value: unknown = JSON.parse(body);
  return value;
}

/** Sends a message. */
export function post(server: AgentapiServer, type: string, content: string): Promise<Observation> {
  const headers = { 'content-type': 'application/json' };
  return observeReply(server, {
    method: 'POST',
    path: '/message',
    headers,
    body: JSON.stringify({ type, content }),
  });
}
