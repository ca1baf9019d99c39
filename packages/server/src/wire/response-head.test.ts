import { describe, expect, test } from 'vitest';
import { MalformedMessage } from './malformed.ts';
import { answerBodyOf, keepsAlive, parseResponseHead } from './response-head.ts';
import type { ResponseHead } from './response-head.ts';

function parse(text: string): ResponseHead {
  const bytes = Buffer.from(text, 'latin1');
  return parseResponseHead(bytes, 0, bytes.length);
}

test('an answer is read as it came', () => {
  expect(parse('HTTP/1.1 200 Fine\u00e9 \r\nContent-Length: 5\r\nX-A:  b \r\nX-A: \u00ff\r\n\r\n')).toEqual({
    status: 200,
    reason: 'Fine\u00e9 ',
    minor: 1,
    rawHeaders: ['Content-Length', '5', 'X-A', 'b', 'X-A', '\u00ff'],
    framing: 'length',
    length: 5,
    connection: '',
    keepAlive: '',
    contentType: '',
  });
  expect(
    parse('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\ncontent-type: a/b; c\r\nX: y\r\n\r\n'),
  ).toMatchObject({
    keepAlive: 'timeout=5',
    contentType: 'a/b; c',
  });
  expect(parse('HTTP/1.1 204\r\n\r\n')).toMatchObject({ status: 204, reason: '', framing: 'until-close' });
});

test.each([
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n', 'GET', 'chunked'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'GET', 'length'],
  ['HTTP/1.1 200 OK\r\n\r\n', 'GET', 'until-close'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'HEAD', 'none'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'HEAD', 'none'],
  ['HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', 'GET', 'none'],
  ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 'GET', 'none'],
])('the body after %j to %s ends by %s', (text, method, kind) => {
  expect(answerBodyOf(parse(text), method).kind).toBe(kind);
});

test.each([
  ['HTTP/1.1 200 OK\r\n\r\n', true],
  ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n', true],
  ['HTTP/1.1 200 OK\r\nConnection: Keep-Alive, X\r\n\r\n', true],
  ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', false],
  ['HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: CLOSE\r\n\r\n', false],
  ['HTTP/1.1 200 OK\r\nConnection: "close"\r\n\r\n', false],
  ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n', false],
  ['HTTP/1.0 200 OK\r\n\r\n', false],
])('after %j the connection can be used again: %s', (text, again) => {
  expect(keepsAlive(parse(text))).toBe(again);
});

describe('refused', () => {
  test.each([
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    ...['', '+5', '-1', '5,5', '5 5', '0x5', '1e1', '9'.repeat(16)].map(
      (length) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`,
    ),
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 2x0 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200\tOK\r\n\r\n',
    'HTTP/1.1 200 O\u0000K\r\n\r\n',
    'HTTP/1.1 200 O\rK\r\n\r\n',
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.2 200 OK\r\n\r\n',
    'http/1.1 200 OK\r\n\r\n',
    ' HTTP/1.1 200 OK\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\u0000\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n',
  ])('%j', (text) => {
    expect(() => parse(text)).toThrow(MalformedMessage);
  });
});
