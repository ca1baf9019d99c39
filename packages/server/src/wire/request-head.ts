import { METHODS } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { BodyReader } from './body-reader.ts';
import { headersOf } from './header-index.ts';
import { parseFields, parseLength } from './head-parser.ts';
import { MalformedMessage } from './malformed.ts';

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

/** The head of one request as its only possible reading. */
export interface RequestHead {
  readonly method: string;
  /** As it was sent, in ASCII. */
  readonly target: string;
  /** The minor version: HTTP/1.0 or HTTP/1.1. */
  readonly minor: 0 | 1;
  /** Names and values in turn, as they came; values as Latin-1. */
  readonly rawHeaders: readonly string[];
  /** By lower-case name, repeated lines joined as `node:http` does. */
  readonly headers: IncomingHttpHeaders;
  readonly hasBody: boolean;
  /** Announced length of the body; `null` for chunks, 0 without a body. */
  readonly length: number | null;
  /** Whether the connection can serve another request afterwards. */
  readonly keepAlive: boolean;
  /** Protocols offered in exchange for HTTP; `null` without an offer. */
  readonly upgrade: string | null;
}

/**
 * Reads the head of a request, blank line included. What two readers could read in two ways is refused (RFC 9112
 * section 11.2): a length beside chunks, two lengths, folded lines, space before a colon, any control character, a
 * fragment, a `Host` that is none.
 * @throws MalformedMessage
 */
export function parseRequestHead(bytes: Buffer, start: number, end: number): RequestHead {
  const text = bytes.toString('latin1', start, end);
  const lineEnd = text.indexOf('\r\n');
  const methodEnd = text.indexOf(' ');
  const targetEnd = lineEnd - VERSION_CHARS;
  const method = text.substring(0, methodEnd);
  if (methodEnd <= 0 || methodEnd >= targetEnd || !KNOWN_METHODS.has(method)) {
    throw new MalformedMessage('The request does not begin with a method');
  }
  const minor = minorVersion(text, targetEnd);
  if (method === 'CONNECT') throw new MalformedMessage('CONNECT is not supported', 'tunnel');
  // Neither `*` nor a whole URL, which may name another host than `Host` does.
  if (text.charCodeAt(methodEnd + 1) !== SLASH) {
    throw new MalformedMessage('The request target must be a path that begins with /');
  }
  for (let i = methodEnd + 1; i < targetEnd; i += 1) {
    const code = text.charCodeAt(i);
    // Some would take what follows a `#` for no part of the address (RFC 9112 section 3.2).
    if (code <= 0x20 || code >= 0x7f || code === HASH) {
      throw new MalformedMessage('The request target holds a character that must be encoded');
    }
  }
  const rawHeaders: string[] = [];
  parseFields(text, lineEnd + 2, rawHeaders);
  const { headers, hosts, lengths, codings } = headersOf(rawHeaders);
  if (hosts > 1) throw new MalformedMessage('More than one Host header');
  if (hosts === 0 && minor === 1) throw new MalformedMessage('The Host header is missing');
  if (headers.host !== undefined && headers.host !== '' && !AUTHORITY.test(headers.host)) {
    throw new MalformedMessage('The Host header is not a host, with or without a port');
  }
  let length: number | null = 0;
  if (codings > 0) {
    if (lengths > 0) throw new MalformedMessage('Both Content-Length and Transfer-Encoding are given');
    if (minor === 0) throw new MalformedMessage('HTTP/1.0 has no Transfer-Encoding');
    if (headers['transfer-encoding']?.toLowerCase() !== 'chunked') {
      throw new MalformedMessage('The only transfer coding understood is chunked');
    }
    length = null;
  } else if (lengths > 0) {
    if (lengths > 1) throw new MalformedMessage('More than one Content-Length header');
    length = parseLength(headers['content-length'] ?? '');
  }
  const { connection } = headers;
  let keepAlive = minor === 1;
  let upgrade: string | null = null;
  if (connection !== undefined && connection !== 'keep-alive') {
    const tokens = connection
      .toLowerCase()
      .split(',')
      .map((token) => token.trim());
    if (tokens.includes('close')) keepAlive = false;
    // An HTTP/1.0 client cannot change the protocol (RFC 9110 section 7.8).
    if (minor === 1 && tokens.includes('upgrade')) upgrade = headers.upgrade ?? null;
    if (minor === 0 && tokens.includes('keep-alive')) keepAlive = !tokens.includes('close');
  } else if (connection === 'keep-alive') {
    keepAlive = true;
  }
  return {
    method,
    target: text.substring(methodEnd + 1, targetEnd),
    minor,
    rawHeaders,
    headers,
    hasBody: length !== 0,
    length,
    keepAlive,
    upgrade,
  };
}

/** The reader of the body that follows this head. */
export function bodyReaderOf({ length }: RequestHead): BodyReader {
  if (length === null) return new BodyReader('chunked');
  return length === 0 ? NO_BODY : new BodyReader('length', length);
}

/** Has no state: it is done from the beginning. */
const NO_BODY = new BodyReader('none');

/** Whether the client waits for `100 Continue` before it sends the body. */
export function expectsContinue({ headers, minor, hasBody }: RequestHead): boolean {
  return hasBody && minor === 1 && headers.expect?.toLowerCase() === '100-continue';
}

const HASH = 0x23;
const SLASH = 0x2f;

/** `uri-host [ ":" port ]` (RFC 9110 section 7.2), the host not empty: a name, an IPv4 address, or an IPv6 address in brackets. */
const AUTHORITY = /^(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?$/;

/** Length of ` HTTP/1.1`. */
const VERSION_CHARS = 9;

function minorVersion(text: string, at: number): 0 | 1 {
  if (text.startsWith(' HTTP/1.1\r', at)) return 1;
  if (text.startsWith(' HTTP/1.0\r', at)) return 0;
  if (/^ HTTP\/\d\.\d$/.test(text.substring(at, at + VERSION_CHARS))) {
    throw new MalformedMessage('The only protocol understood is HTTP/1.1', 'version');
  }
  throw new MalformedMessage('The first line is not one of an HTTP/1.1 request');
}
