import type { IncomingMessage } from 'node:http';
import { TOKEN_HEADER } from '@agentapi-proxy/agent-server/control';
import type { Cors, CorsHeaders } from '../cors.ts';
import { AppError } from '../errors.ts';
import type { TraceHeaders } from '../request-observer.ts';
import type { ClientConnection } from './client-connections.ts';
import { rebaseLocation } from './location.ts';

/** Headers that belong to one connection and are never passed on (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

/**
 * Set anew, or a statement that only a trusted proxy could make and that `X-Forwarded-*` makes already.
 * `Expect` is answered here.
 */
const REPLACED_IN_REQUESTS = [
  'host',
  'expect',
  'http2-settings',
  'x-request-id',
  'forwarded',
  'x-real-ip',
  TOKEN_HEADER,
];

/** Names of cookies that belong to the proxy and no agent may see or set (DF-05). */
const OWN_COOKIE = /^\s*agentapi_proxy/i;

/** What the headers for the agent server depend on, besides the request. */
export interface ForwardFacts {
  readonly connection: ClientConnection;
  readonly sessionId: string;
  /** Token of the session's agent server. */
  readonly token: string | null;
  readonly requestId: string;
  /** `null` while nobody traces: what the client has sent of a trace is passed on then. */
  readonly trace: TraceHeaders | null;
}

/** Makes the headers of requests to agent servers and of answers to clients. */
export class HeaderRules {
  readonly #droppedFromRequests: ReadonlySet<string>;
  readonly #droppedFromAnswers: ReadonlySet<string>;
  readonly #cors: Cors;

  /**
   * `credentialHeaders` carry keys of the proxy and are not passed on, whoever sent them (DF-05). Without
   * authentication `Authorization` is the agent's own; of cookies only the proxy's are taken out.
   */
  constructor(cors: Cors, credentialHeaders: readonly string[], authenticated: boolean) {
    this.#cors = cors;
    this.#droppedFromRequests = new Set([
      ...HOP_BY_HOP,
      ...REPLACED_IN_REQUESTS,
      ...credentialHeaders
        .map((name) => name.toLowerCase())
        .filter((name) => name !== 'cookie' && (name !== 'authorization' || authenticated)),
    ]);
    this.#droppedFromAnswers = new Set([
      ...HOP_BY_HOP,
      'x-request-id',
      'access-control-allow-origin',
      'access-control-allow-methods',
      'access-control-allow-headers',
      'access-control-allow-credentials',
      'access-control-max-age',
    ]);
  }

  /**
   * Header lines for the agent server, names and values in turn, without `Host`. Lines are kept as they came,
   * repeated ones too (PX-133, PX-142).
   * @throws AppError `invalid_request` for heads that can be read in two ways.
   */
  forRequest(req: IncomingMessage, facts: ForwardFacts): string[] {
    const raw = req.rawHeaders;
    const dropped = this.#droppedFromRequests;
    const named = namedByConnection(req.headers.connection);
    const lines: string[] = [];
    let hosts = 0;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? '';
      const value = raw[i + 1] ?? '';
      const lower = name.toLowerCase();
      if (lower === 'host') hosts += 1;
      if (dropped.has(lower) || lower.startsWith('x-forwarded-') || named?.has(lower) === true) continue;
      if (facts.trace?.replaced.has(lower) === true) continue;
      if (lower !== 'cookie') {
        lines.push(name, value);
        continue;
      }
      const cookies = withoutOwnCookies(value);
      if (cookies !== '') lines.push(name, cookies);
    }
    if (hosts > 1) throw new AppError('invalid_request', { message: 'More than one Host header' });
    this.#pushForwarded(lines, req, facts);
    lines.push('X-Request-Id', facts.requestId);
    if (acceptsTrailers(req)) lines.push('TE', 'trailers');
    if (facts.trace !== null) lines.push(...facts.trace.lines);
    if (facts.token !== null) lines.push(TOKEN_HEADER, facts.token);
    return lines;
  }

  /** What a trusted proxy said is continued, what anybody else said is replaced by what is known (DF-16, PX-138). */
  #pushForwarded(lines: string[], req: IncomingMessage, facts: ForwardFacts): void {
    const { address, trusted, protocol } = facts.connection;
    const { headers } = req;
    const earlier = trusted ? single(headers['x-forwarded-for']) : undefined;
    const host = (trusted ? single(headers['x-forwarded-host']) : undefined) ?? headers.host;
    lines.push(
      'X-Forwarded-For',
      earlier === undefined ? address : `${earlier}, ${address}`,
      'X-Forwarded-Proto',
      (trusted ? single(headers['x-forwarded-proto']) : undefined) ?? protocol,
      'X-Forwarded-Prefix',
      publicPrefix(req, facts.connection, facts.sessionId),
    );
    if (host !== undefined) lines.push('X-Forwarded-Host', host);
  }

  /** Fields after an answer's body as pairs, without those that would change how the answer is read. */
  forTrailers(raw: readonly (Buffer | string)[]): [string, string][] {
    const fields: [string, string][] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = text(raw[i]);
      const lower = name.toLowerCase();
      if (!this.#droppedFromAnswers.has(lower) && !NO_TRAILERS.has(lower))
        fields.push([name, text(raw[i + 1])]);
    }
    return fields;
  }

  /**
   * Header lines for the client, names and values in turn. `raw` are the agent server's own.
   * The answer of an event stream loses its length and asks intermediaries not to hold it back (PX-153, PX-154).
   */
  forAnswer(raw: readonly (Buffer | string)[], facts: AnswerFacts): AnswerHead {
    const eventStream = isEventStream(raw);
    const named = namedByConnection(valueOf(raw, 'connection'));
    const lines: string[] = ['X-Request-Id', facts.requestId];
    let vary = 'Origin';
    let exposed = this.#cors.exposed;
    let shortLength = 0;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = text(raw[i]);
      const value = text(raw[i + 1]);
      const lower = name.toLowerCase();
      if (this.#droppedFromAnswers.has(lower) || named?.has(lower) === true) continue;
      if (eventStream && REPLACED_IN_EVENT_STREAMS.has(lower)) continue;
      switch (lower) {
        case 'vary':
          vary = withMember(value, vary);
          break;
        case 'access-control-expose-headers':
          exposed = withMember(value, exposed);
          break;
        case 'location':
          lines.push(name, rebaseLocation(value, facts));
          break;
        case 'set-cookie':
          if (!OWN_COOKIE.test(value)) lines.push(name, value);
          break;
        case 'content-length':
          if (value.length <= SHORT_LENGTH_DIGITS) shortLength = Number(value);
          lines.push(name, value);
          break;
        default:
          lines.push(name, value);
      }
    }
    if (eventStream) lines.push('Cache-Control', 'no-cache, no-transform', 'X-Accel-Buffering', 'no');
    lines.push('Vary', vary);
    if (facts.cors.proxied.length > 0)
      lines.push(...facts.cors.proxied, 'Access-Control-Expose-Headers', exposed);
    return { lines, eventStream, shortLength };
  }
}

/** The head of an answer to the client. */
export interface AnswerHead {
  /** Names and values in turn. */
  readonly lines: string[];
  readonly eventStream: boolean;
  /** Announced length of a body so short that head and body come in one piece; else 0. */
  readonly shortLength: number;
}

/** Up to 9,999 bytes. */
const SHORT_LENGTH_DIGITS = 4;

/** What the headers for the client depend on, besides the agent server's answer. */
export interface AnswerFacts {
  readonly requestId: string;
  readonly cors: CorsHeaders;
  /** Path under which the client sees the agent server's `/`: `/<session id>`. */
  readonly prefix: string;
  /** Path of the request at the agent server. */
  readonly path: string;
  /** Port of the agent server. */
  readonly port: number;
}

/** Meaningful before the body only (RFC 9110 section 6.5.1). */
const NO_TRAILERS: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'cache-control',
  'location',
  'set-cookie',
  'vary',
]);

const REPLACED_IN_EVENT_STREAMS: ReadonlySet<string> = new Set([
  'content-length',
  'cache-control',
  'x-accel-buffering',
]);

/** Path under which clients see the agent server's `/`, with what a trusted proxy took off in front of it. */
export function publicPrefix(req: IncomingMessage, connection: ClientConnection, sessionId: string): string {
  const outer = connection.trusted ? single(req.headers['x-forwarded-prefix']) : undefined;
  return outer === undefined ? `/${sessionId}` : `${outer.replace(/\/+$/, '')}/${sessionId}`;
}

/** Whether the client can read fields after the body (RFC 9110 section 6.5.1). */
export function acceptsTrailers(req: IncomingMessage): boolean {
  const { te } = req.headers;
  return te !== undefined && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(single(te) ?? '');
}

/** Other header names that `Connection` declares to belong to the connection; `null` for none. */
export function namedByConnection(value: string | undefined): ReadonlySet<string> | null {
  if (value === undefined || value === 'keep-alive' || value === 'close') return null;
  return new Set(value.split(',').map((token) => token.trim().toLowerCase()));
}

/** A `Cookie` value without the proxy's own cookies; empty when nothing is left. */
export function withoutOwnCookies(value: string): string {
  if (!/agentapi_proxy/i.test(value)) return value;
  return value
    .split(';')
    .filter((pair) => !OWN_COOKIE.test(pair))
    .join(';')
    .trim();
}

function isEventStream(raw: readonly (Buffer | string)[]): boolean {
  const type = valueOf(raw, 'content-type');
  return type !== undefined && /^text\/event-stream\s*(?:;|$)/i.test(type);
}

function valueOf(raw: readonly (Buffer | string)[], wanted: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i];
    if (name?.length === wanted.length && text(name).toLowerCase() === wanted) return text(raw[i + 1]);
  }
  return undefined;
}

/** Bytes outside ASCII must come out as they came in. */
function text(part: Buffer | string | undefined): string {
  if (part === undefined) return '';
  return typeof part === 'string' ? part : part.toString('latin1');
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Joins two comma-separated lists; `*` already includes everything. */
function withMember(list: string, more: string): string {
  const members = list.split(',').map((member) => member.trim().toLowerCase());
  if (members.includes('*')) return list;
  const missing = more.split(', ').filter((member) => !members.includes(member.toLowerCase()));
  return list.trim() === '' ? more : [list, ...missing].join(', ');
}
