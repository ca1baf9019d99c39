import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { MalformedMessage } from './malformed.ts';
import { HeadEnd } from './head-parser.ts';
import { parseRequestHead } from './request-head.ts';
import type { RequestHead } from './request-head.ts';

/** How many heads are tried; a million takes some minutes. */
const HEADS = Number(process.env['FUZZ_HEADS'] ?? 30_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const BATCH = 500;

/** What a head means to a parser; `null` when it refuses it. */
interface Reading {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly rawHeaders: readonly string[];
}

/** Node's parser, over connections in memory. */
class NodeParser {
  readonly #readings = new WeakMap<object, Reading>();
  readonly #server = createServer({ requireHostHeader: false, maxHeaderSize: 65_536 });

  constructor() {
    const accept = (req: IncomingMessage): void => {
      const { method = '', url = '', httpVersion, rawHeaders } = req;
      this.#readings.set(req.socket, { method, target: url, version: httpVersion, rawHeaders });
    };
    for (const event of ['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect']) {
      this.#server.on(event, accept);
    }
    this.#server.on('clientError', () => {});
  }

  /** Node's readings of these heads. */
  async read(heads: readonly string[]): Promise<(Reading | null)[]> {
    const sockets = heads.map((head) => {
      const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
      socket.on('error', () => {});
      this.#server.emit('connection', socket);
      socket.push(Buffer.from(head, 'latin1'));
      return socket;
    });
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of sockets) socket.destroy();
    return sockets.map((socket) => this.#readings.get(socket) ?? null);
  }
}

function ours(head: string): RequestHead | null {
  const bytes = Buffer.from(head, 'latin1');
  try {
    const end = new HeadEnd().find(bytes);
    return end === -1 ? null : parseRequestHead(bytes, 0, end);
  } catch (error) {
    if (error instanceof MalformedMessage) return null;
    throw error;
  }
}

/** Numbers from 0 to 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'DELETE', 'get', 'M-SEARCH', 'PRI', 'QUERY', 'BREW', ''];
const TARGETS = ['/', '/a/b?c=d', '*', 'http://h/', '/%00', '/\\x', '/a b', '/é', '/#', '', '//x', '/"<>'];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 ', ''];
const NAMES = [
  ...['Host', 'host', 'Content-Length', 'content-length', 'Transfer-Encoding', 'transfer-encoding'],
  ...['Connection', 'Upgrade', 'Expect', 'X-A', 'Cookie', 'Keep-Alive', 'Te', 'Trailer', 'X_A', 'X A', ''],
  ...['Content-Length ', ' X', '\tX', 'Transfer-Encoding\u0000', 'X\u00e9', 'X(', '__proto__', 'HTTP/1.1'],
];
const VALUES = [
  ...['h', 'localhost:80', '0', '5', '05', '+5', '5,5', '5 ', '0x5', '-1', '18446744073709551616', 'chunked'],
  ...['Chunked', 'chunked ', 'gzip, chunked', 'chunked, gzip', 'chunked,chunked', 'identity', '', ' ', '\t'],
  ...[
    'close',
    'keep-alive',
    'Upgrade',
    'websocket',
    'h2c',
    '100-continue',
    'a\u0000b',
    'a\u007fb',
    'caf\u00e9',
  ],
  ...['a\rb', 'a\nb', 'a\r\n b', 'a\r\n\tb', '\u0001', 'a; b="c"', '\u000b', '\u000c', 'chunked\u000b'],
];
const COLONS = [': ', ': ', ': ', ':', ' : ', ':\t', '\t:', '', ' '];
const ENDS = [
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\r\n ',
  '\n\r\n',
  '\u0000\r\n',
];

/** A head from parts that are mostly right, with a mistake here and there. */
function makeHead(random: () => number): string {
  const one = (list: readonly string[], right: number): string =>
    list[random() < 0.75 ? Math.floor(random() * right) : Math.floor(random() * list.length)] ?? '';
  const space = random() < 0.95 ? ' ' : one(['  ', '\t', '\u000b'], 3);
  let head = random() < 0.03 ? one(['\r\n', '\n', ' ', '\u0000'], 4) : '';
  head += one(METHODS, 5) + space + one(TARGETS, 2) + space + one(VERSIONS, 2) + one(ENDS, 6);
  if (random() < 0.9) head += `Host: h${one(ENDS, 6)}`;
  for (let lines = Math.floor(random() * 6); lines > 0; lines -= 1) {
    head += one(NAMES, 17) + one(COLONS, 4) + one(VALUES, 30) + one(ENDS, 6);
  }
  head += '\r\n';
  if (random() < 0.2) {
    const at = Math.floor(random() * head.length);
    const byte = String.fromCharCode(Math.floor(random() * 256));
    head = head.slice(0, at) + byte + head.slice(at + (random() < 0.5 ? 1 : 0));
  }
  return head;
}

test(
  `of ${HEADS} generated heads none is accepted that Node refuses, and those that both accept mean the same`,
  { timeout: 60_000 + HEADS },
  async () => {
    const random = randomNumbers(SEED);
    const node = new NodeParser();
    const counts = { accepted: 0, refused: 0, onlyNode: 0 };
    for (let done = 0; done < HEADS; done += BATCH) {
      const heads = Array.from({ length: Math.min(BATCH, HEADS - done) }, () => makeHead(random));
      const readings = await node.read(heads);
      for (const [i, head] of heads.entries()) {
        const own = ours(head);
        const theirs = readings[i] ?? null;
        if (own === null) {
          counts[theirs === null ? 'refused' : 'onlyNode'] += 1;
          continue;
        }
        const { method, target, minor, rawHeaders } = own;
        const reading: Reading = { method, target, version: `1.${minor}`, rawHeaders };
        expect({ head, reading: theirs }).toEqual({ head, reading });
        counts.accepted += 1;
      }
    }
    // A generator that makes only nonsense, or no mistakes, would show nothing.
    expect(counts.accepted).toBeGreaterThan(HEADS / 50);
    expect(counts.refused).toBeGreaterThan(HEADS / 50);
    expect(counts.onlyNode).toBeGreaterThan(0);
  },
);
