import { BodyReader } from './body-reader.ts';
import { isToken, parseFields, parseLength } from './head-parser.ts';
import { MalformedMessage } from './malformed.ts';

/** The head of one answer as its only possible reading. */
export interface ResponseHead {
  readonly status: number;
  /** Reason phrase; may be empty. */
  readonly reason: string;
  readonly minor: 0 | 1;
  /** Names and values in turn, as they came; values as Latin-1. */
  readonly rawHeaders: readonly string[];
  /** How the body ends, before method and status are looked at. */
  readonly framing: 'length' | 'chunked' | 'until-close';
  /** Announced length; 0 for the other framings. */
  readonly length: number;
  /** Lower-case value of `Connection`, or empty. */
  readonly connection: string;
  /** Value of `Keep-Alive`, or empty. */
  readonly keepAlive: string;
  /** Value of `Content-Type`, or empty. */
  readonly contentType: string;
}

/**
 * Reads the head of an answer, blank line included, as strictly as that of a request: an agent server that is not
 * understood in one way only could pair answers with the wrong requests.
 * @throws MalformedMessage
 */
export function parseResponseHead(bytes: Buffer, start: number, end: number): ResponseHead {
  const text = bytes.toString('latin1', start, end);
  const minor = text.startsWith('HTTP/1.1 ') ? 1 : 0;
  if (minor === 0 && !text.startsWith('HTTP/1.0 ')) throw new MalformedMessage('The answer is not HTTP/1.1');
  const status = statusOf(text);
  const lineEnd = text.indexOf('\r\n');
  const reason = text.slice(13, lineEnd);
  for (let i = 12; i < lineEnd; i += 1) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || (i === 12 && code !== 0x20)) {
      throw new MalformedMessage('The status line of the answer is not valid');
    }
  }
  const rawHeaders: string[] = [];
  parseFields(text, lineEnd + 2, rawHeaders);
  let lengths = 0;
  let length = 0;
  let codings = 0;
  let connection = '';
  let keepAlive = '';
  let contentType = '';
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    // Few names are as long as these.
    if (name.length !== 10 && name.length !== 12 && name.length !== 14 && name.length !== 17) continue;
    const value = rawHeaders[i + 1] ?? '';
    switch (name.toLowerCase()) {
      case 'content-length':
        lengths += 1;
        length = parseLength(value);
        break;
      case 'transfer-encoding':
        codings += 1;
        if (value.toLowerCase() !== 'chunked') throw new MalformedMessage('Unknown transfer coding');
        break;
      case 'connection':
        connection = connection === '' ? value.toLowerCase() : `${connection},${value.toLowerCase()}`;
        break;
      case 'keep-alive':
        if (keepAlive === '') keepAlive = value;
        break;
      case 'content-type':
        if (contentType === '') contentType = value;
        break;
      default:
    }
  }
  if (lengths > 1 || codings > 1 || lengths + codings > 1)
    throw new MalformedMessage('The length is ambiguous');
  if (codings > 0 && minor === 0) throw new MalformedMessage('HTTP/1.0 has no Transfer-Encoding');
  const framing = codings > 0 ? 'chunked' : lengths > 0 ? 'length' : 'until-close';
  return { status, reason, minor, rawHeaders, framing, length, connection, keepAlive, contentType };
}

/** Whether an answer has no body whatever its head says (RFC 9112 section 6.3). */
export function isBodiless(status: number, method: string): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/** The reader of the body that follows this head. */
export function answerBodyOf({ framing, length, status }: ResponseHead, method: string): BodyReader {
  return isBodiless(status, method) ? new BodyReader('none') : new BodyReader(framing, length);
}

/** Whether the connection of this answer can serve another request. */
export function keepsAlive({ minor, connection }: ResponseHead): boolean {
  if (minor === 0 || connection === '') return minor === 1;
  if (connection === 'keep-alive') return true;
  const tokens = connection.split(',').map((token) => token.trim());
  return !tokens.includes('close') && tokens.every((token) => token === '' || isToken(token));
}

function statusOf(text: string): number {
  let status = 0;
  for (let i = 9; i < 12; i += 1) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) throw new MalformedMessage('The answer has no status');
    status = status * 10 + digit;
  }
  if (status < 100) throw new MalformedMessage('The answer has no status');
  return status;
}
