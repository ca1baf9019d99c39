import { request } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { answerCheck } from './answer-check.ts';

/** An answer with the header lines as they came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names in lower case, each as often as its line came. */
  readonly headerNames: readonly string[];
  readonly body: string;
}

export interface RawRequest {
  readonly method?: string;
  /** The request target, sent byte for byte. */
  readonly path: string;
  /** Lines; a list of names and values in turn keeps repeated ones apart. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  readonly body?: string | Buffer;
}

/** Makes a request that `fetch` would refuse or change: any path, `Host`, `Origin`, method and header lines. */
export async function rawRequest(port: number, options: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', path, headers = [], body } = options;
  const lines = isLines(headers) ? [...headers] : Object.entries(headers).flat();
  const named = (name: string): boolean =>
    lines.some((line, i) => i % 2 === 0 && line.toLowerCase() === name);
  if (!named('host')) lines.unshift('Host', `127.0.0.1:${port}`);
  if (body !== undefined && !named('content-length') && !named('transfer-encoding')) {
    lines.push('Content-Length', String(Buffer.byteLength(body)));
  }
  const sent = request({ host: '127.0.0.1', port, method, path, headers: lines, agent: false });
  sent.end(body);
  const answer = await answerOf(sent);
  // An event stream to look at has no end of its own; its head is what these requests are about.
  const isStream =
    method === 'GET' && (answer.headers['content-type']?.startsWith('text/event-stream') ?? false);
  if (isStream) answer.on('error', () => undefined).destroy();
  const chunks: string[] = isStream ? [] : await answer.setEncoding('utf8').toArray();
  const status = answer.statusCode ?? 0;
  const contentType = answer.headers['content-type'] ?? null;
  answerCheck.check(`http://127.0.0.1:${port}`, { method, path, status, contentType, body: chunks.join('') });
  return {
    status,
    headers: answer.headers,
    headerNames: answer.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()),
    body: chunks.join(''),
  };
}

async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
  });
}

function isLines(headers: NonNullable<RawRequest['headers']>): headers is readonly string[] {
  return Array.isArray(headers);
}

/** Sends bytes as they are and gives everything that comes back until the server ends the connection. */
export async function exchangeBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.write(bytes, 'latin1');
  });
}
