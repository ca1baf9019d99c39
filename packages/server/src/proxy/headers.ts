import { TOKEN_HEADER } from '@agentapi-proxy/agent-server/control';
import type { Cors, CorsHeaders } from '../cors.ts';
import type { TraceHeaders } from '../request-observer.ts';
import type { RequestHead } from '../wire/request-head.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import { rebaseLocation } from './location.ts';
import type { Peer } from './peers.ts';

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
  'content-length',
  'expect',
  'http2-settings',
  'x-request-id',
  'forwarded',
  'x-real-ip',
  TOKEN_HEADER,
];

/** Names of cookies that belong to the proxy and no agent may see or set (DF-05). */
const OWN_COOKIE = /^\s*agentapi_proxy/i;

/** What the header lines of one exchange depend on, besides request and answer. */
export interface ExchangeFacts {
  readonly peer: Peer;
  readonly sessionId: string;
  /** Token of the session's agent server. */
  readonly token: string | null;
  /** Port of the agent server. */
  readonly port: number;
  readonly requestId: string;
  readonly cors: CorsHeaders;
  /** Path under which the client sees the agent server's `/`: `/<session id>`. */
  readonly prefix: string;
  /** Path of the request at the agent server. */
  readonly path: string;
  /** `null` while nobody traces: what the client has sent of a trace is passed on then. */
  readonly trace: TraceHeaders | null;
}

/** Header lines of an answer to the client, and what they tell. */
export interface AnswerLines {
  /** Every line with its end; without framing. */
  readonly text: string;
  readonly eventStream: boolean;
  /** The body is encoded: nothing can be put into it. */
  readonly encoded: boolean;
}

/** Makes the headers of requests to agent servers and of answers to clients. */
export class HeaderRules {
  readonly #droppedFromRequests: ReadonlySet<string>;
  readonly #cors: Cors;
  readonly #proxiedCors = new WeakMap<CorsHeaders, string>();

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
  }

  /**
   * Header lines for the agent server, each with its end, without `Host` and without framing. Lines are kept as they
   * came, repeated ones too (PX-133, PX-142).
   */
  requestLines({ rawHeaders, headers }: RequestHead, facts: ExchangeFacts): string {
    const dropped = this.#droppedFromRequests;
    const named = namedByConnection(headers.connection);
    let text = '';
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      const lower = name.toLowerCase();
      if (dropped.has(lower) || lower.startsWith('x-forwarded-') || named?.has(lower) === true) continue;
      if (facts.trace?.replaced.has(lower) === true) continue;
      const value =
        lower === 'cookie' ? withoutOwnCookies(rawHeaders[i + 1] ?? '') : (rawHeaders[i + 1] ?? '');
      if (lower !== 'cookie' || value !== '') text += `${name}: ${value}\r\n`;
    }
    text += forwardedLines(headers, facts);
    text += `X-Request-Id: ${facts.requestId}\r\n`;
    if (acceptsTrailers(headers)) text += 'TE: trailers\r\n';
    if (facts.trace !== null) text += linesOf(facts.trace.lines);
    if (facts.token !== null) text += `${TOKEN_HEADER}: ${facts.token}\r\n`;
    return text;
  }

  /** Fields after an answer's body, each with its end, without those that would change how the answer is read. */
  trailerLines(raw: readonly string[]): string {
    let text = '';
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? '';
      const lower = name.toLowerCase();
      if (!DROPPED_FROM_ANSWERS.has(lower) && !NO_TRAILERS.has(lower)) text += `${name}: ${raw[i + 1]}\r\n`;
    }
    return text;
  }

  /**
   * Header lines for the client, each with its end, without framing.
   * The answer of an event stream asks intermediaries not to hold it back (PX-153, PX-154).
   */
  answerLines({ rawHeaders, connection, contentType }: ResponseHead, facts: ExchangeFacts): AnswerLines {
    const eventStream = isEventStream(contentType);
    const named = namedByConnection(connection === '' ? undefined : connection);
    let text = `X-Request-Id: ${facts.requestId}\r\n`;
    let vary = 'Origin';
    let { exposed } = this.#cors;
    let dated = false;
    let encoded = false;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      const value = rawHeaders[i + 1] ?? '';
      const lower = name.toLowerCase();
      const rule = ANSWER_RULES.get(lower);
      if (named?.has(lower) === true) continue;
      if (rule === undefined) {
        text += `${name}: ${value}\r\n`;
        continue;
      }
      switch (rule) {
        case 'drop':
          continue;
        case 'drop-from-events':
          if (eventStream) continue;
          break;
        case 'date':
          dated = true;
          break;
        case 'encoding':
          encoded = true;
          break;
        case 'vary':
          vary = withMember(value, vary);
          continue;
        case 'exposed':
          exposed = withMember(value, exposed);
          continue;
        case 'location':
          text += `${name}: ${rebaseLocation(value, facts)}\r\n`;
          continue;
        case 'cookie':
          if (OWN_COOKIE.test(value)) continue;
          break;
      }
      text += `${name}: ${value}\r\n`;
    }
    if (eventStream) text += 'Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n';
    // A recipient with a clock adds the date that a sender without one has left out (RFC 9110 section 6.6.1).
    if (!dated) text += `Date: ${new Date().toUTCString()}\r\n`;
    text += `Vary: ${vary}\r\n${this.#corsLines(facts.cors, exposed)}`;
    return { text, eventStream, encoded };
  }

  #corsLines(cors: CorsHeaders, exposed: string): string {
    let text = this.#proxiedCors.get(cors);
    if (text === undefined) {
      text = linesOf(cors.proxied);
      this.#proxiedCors.set(cors, text);
    }
    return text === '' ? '' : `${text}Access-Control-Expose-Headers: ${exposed}\r\n`;
  }
}

/** What happens to a header of an answer; `framing` is made anew, `drop` goes. */
type AnswerRule =
  | 'drop'
  | 'drop-from-events'
  | 'date'
  | 'encoding'
  | 'vary'
  | 'exposed'
  | 'location'
  | 'cookie';

const DROPPED_FROM_ANSWERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'x-request-id',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-credentials',
  'access-control-max-age',
]);

const ANSWER_RULES: ReadonlyMap<string, AnswerRule> = new Map<string, AnswerRule>([
  ...[...DROPPED_FROM_ANSWERS].map((name) => [name, 'drop'] as const),
  ['cache-control', 'drop-from-events'],
  ['x-accel-buffering', 'drop-from-events'],
  ['date', 'date'],
  ['content-encoding', 'encoding'],
  ['vary', 'vary'],
  ['access-control-expose-headers', 'exposed'],
  ['location', 'location'],
  ['set-cookie', 'cookie'],
]);

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

/** What a trusted proxy said is continued, what anybody else said is replaced by what is known (DF-16, PX-138). */
function forwardedLines(headers: RequestHead['headers'], { peer, prefix }: ExchangeFacts): string {
  const { address, trusted, protocol } = peer;
  const earlier = trusted ? single(headers['x-forwarded-for']) : undefined;
  const host = (trusted ? single(headers['x-forwarded-host']) : undefined) ?? headers.host;
  const proto = (trusted ? single(headers['x-forwarded-proto']) : undefined) ?? protocol;
  return (
    `X-Forwarded-For: ${earlier === undefined ? address : `${earlier}, ${address}`}\r\n` +
    `X-Forwarded-Proto: ${proto}\r\nX-Forwarded-Prefix: ${prefix}\r\n` +
    (host === undefined ? '' : `X-Forwarded-Host: ${host}\r\n`)
  );
}

/** Path under which clients see the agent server's `/`, with what a trusted proxy took off in front of it. */
export function publicPrefix(headers: RequestHead['headers'], peer: Peer, sessionId: string): string {
  const outer = peer.trusted ? single(headers['x-forwarded-prefix']) : undefined;
  return outer === undefined ? `/${sessionId}` : `${outer.replace(/\/+$/, '')}/${sessionId}`;
}

/** Whether the client can read fields after the body (RFC 9110 section 6.5.1). */
export function acceptsTrailers({ te }: RequestHead['headers']): boolean {
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

/** Header lines, each with its end, from names and values in turn. */
export function linesOf(raw: readonly string[]): string {
  let text = '';
  for (let i = 0; i + 1 < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return text;
}

function isEventStream(contentType: string): boolean {
  return (
    contentType.length >= 'text/event-stream'.length && /^text\/event-stream\s*(?:;|$)/i.test(contentType)
  );
}

/** Value of the first header of this lower-case name. */
export function valueOf(raw: readonly string[], wanted: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i];
    if (name?.length === wanted.length && name.toLowerCase() === wanted) return raw[i + 1];
  }
  return undefined;
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
