import { describe, expect, test } from 'vitest';
import { HeadEnd } from './head-parser.ts';
import { MalformedMessage } from './malformed.ts';
import { expectsContinue, parseRequestHead } from './request-head.ts';
import type { RequestHead } from './request-head.ts';

function parse(text: string): RequestHead {
  const bytes = Buffer.from(text, 'latin1');
  return parseRequestHead(bytes, 0, bytes.length);
}

const get = (lines: string, first = 'GET /a HTTP/1.1'): RequestHead =>
  parse(`${first}\r\nHost: h\r\n${lines}\r\n`);

test('a request is read as it came', () => {
  const head = parse(
    'POST /a?b=%20;c HTTP/1.1\r\nHost: h:1\r\nX-A:  b \t\r\nx-a: \u00e9\r\nEmpty:\r\nContent-Length: 007\r\n\r\n',
  );
  expect(head).toMatchObject({
    method: 'POST',
    target: '/a?b=%20;c',
    minor: 1,
    rawHeaders: ['Host', 'h:1', 'X-A', 'b', 'x-a', '\u00e9', 'Empty', '', 'Content-Length', '007'],
    hasBody: true,
    length: 7,
    keepAlive: true,
    upgrade: null,
  });
  expect({ ...head.headers }).toEqual({
    host: 'h:1',
    'x-a': 'b, \u00e9',
    empty: '',
    'content-length': '007',
  });
});

test('names that objects have anyway are names like any other', () => {
  const { headers } = get('__proto__: a\r\nconstructor: b\r\ntoString: c\r\n');
  expect([headers['__proto__'], headers['constructor'], headers['tostring']]).toEqual(['a', 'b', 'c']);
});

test.each([
  ['', 'GET /a HTTP/1.1', true],
  ['Connection: close\r\n', 'GET /a HTTP/1.1', false],
  ['Connection: keep-alive, CLOSE\r\n', 'GET /a HTTP/1.1', false],
  ['Connection: x\r\nConnection: close\r\n', 'GET /a HTTP/1.1', false],
  ['', 'GET /a HTTP/1.0', false],
  ['Connection: keep-alive\r\n', 'GET /a HTTP/1.0', true],
  ['Connection: Keep-Alive\r\n', 'GET /a HTTP/1.0', true],
  ['Connection: Keep-Alive, close\r\n', 'GET /a HTTP/1.0', false],
])('%j after %s: another request may follow: %s', (lines, first, keepAlive) => {
  expect(get(lines, first).keepAlive).toBe(keepAlive);
});

test.each([
  ['Connection: Upgrade\r\nUpgrade: websocket\r\n', 'GET /a HTTP/1.1', 'websocket'],
  ['Connection: keep-alive, upgrade\r\nUpgrade: x, y\r\n', 'GET /a HTTP/1.1', 'x, y'],
  ['Upgrade: websocket\r\n', 'GET /a HTTP/1.1', null],
  ['Connection: Upgrade\r\n', 'GET /a HTTP/1.1', null],
  ['Connection: Upgrade\r\nUpgrade: websocket\r\n', 'GET /a HTTP/1.0', null],
])('%j after %s offers %j', (lines, first, upgrade) => {
  expect(get(lines, first).upgrade).toBe(upgrade);
});

test('only a request with a body can wait for 100 Continue', () => {
  expect(expectsContinue(get('Expect: 100-Continue\r\nContent-Length: 1\r\n'))).toBe(true);
  expect(expectsContinue(get('Expect: 100-continue\r\n'))).toBe(false);
  expect(expectsContinue(get('Expect: 100-continue\r\nContent-Length: 1\r\n', 'PUT /a HTTP/1.0'))).toBe(
    false,
  );
  expect(expectsContinue(get('Expect: 200-ok\r\nContent-Length: 1\r\n'))).toBe(false);
});

describe('refused', () => {
  test.each([
    ...['get', 'BREW', 'GET\t', '', 'G T', 'GÉT', 'GET\u0000'].map((method) => `${method} / HTTP/1.1`),
    ...[
      '',
      ' ',
      '/a b',
      '/\u0000',
      '/\u007f',
      '/\u00e9',
      '*',
      'a',
      'http://h/',
      '/\t',
      '/\r',
      '/a#b',
      '/#',
      '/?#',
    ].map((target) => `GET ${target} HTTP/1.1`),
    ...['HTTP/1.10', 'HTTP/11', 'http/1.1', 'HTTP/1.', 'HTTP/1.1 ', 'HTTP /1.1', 'XTTP/1.1', '', 'ICY'].map(
      (version) => `GET / ${version}`,
    ),
    ' GET / HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET /  HTTP/1.1',
    'GET\t/\tHTTP/1.1',
    'GET /',
  ])('the first line %j', (first) => {
    expect(() => get('', first)).toThrow(MalformedMessage);
  });

  test.each(['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3.0'])(
    'another version, %s, by its own error',
    (version) => {
      expect(() => get('', `GET / ${version}`)).toThrow(expect.objectContaining({ kind: 'version' }));
    },
  );

  test.each([
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\r\nContent-Length: 0\r\n',
    'Content-Length: 5\r\nContent-Length: 5\r\n',
    'Content-Length: 5\r\ncontent-length: 6\r\n',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer-Encoding: chunked, gzip\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: chunked;q=1\r\n',
    'Transfer-Encoding: "chunked"\r\n',
    'Transfer-Encoding: chunked,\r\n',
    'Transfer-Encoding:\r\n',
    'Host: h\r\n',
    'A : b\r\n',
    'A\t: b\r\n',
    ' A: b\r\n',
    '\tA: b\r\n',
    'A: b\r\n c\r\n',
    'A: b\r\n\tc\r\n',
    'A\r\n',
    ': b\r\n',
    ':\r\n',
    'A: b\rc\r\n',
    'A: b\r\r\n',
    'Content-Length: 5\r\n \r\n',
  ])('the header lines %j', (lines) => {
    expect(() => get(lines)).toThrow(MalformedMessage);
  });

  test.each([
    '',
    ' ',
    '+5',
    '-5',
    '5,5',
    '5, 5',
    '5 5',
    '0x5',
    '5;',
    '5.',
    '1e1',
    '٥',
    '"5"',
    '9'.repeat(16),
  ])('the length %j', (length) => {
    expect(() => get(`Content-Length: ${length}\r\n`)).toThrow(MalformedMessage);
  });

  test('every control character in names and values, and everything but tokens in names', () => {
    for (let code = 0; code < 0x100; code += 1) {
      const character = String.fromCharCode(code);
      const inValue = (code >= 0x20 && code !== 0x7f) || code === 0x09;
      const inName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(character) || code === 0x3a;
      const accepts = (lines: string): boolean => {
        try {
          get(lines);
          return true;
        } catch (error) {
          if (error instanceof MalformedMessage) return false;
          throw error;
        }
      };
      expect([code, accepts(`A: x${character}y\r\n`)]).toEqual([code, inValue]);
      expect([code, accepts(`X${character}Y: z\r\n`)]).toEqual([code, inName]);
    }
  });

  test.each([
    ...[
      'h',
      'h:80',
      'h:',
      'a.b-c_d~e.',
      "!$&'()*+,;=",
      'a,b',
      '%61b',
      '127.0.0.1:1',
      '[::1]',
      '[::ffff:1.2.3.4]:80',
      '',
    ],
  ])('no Host like %j', (host) => {
    expect(parse(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).headers.host).toBe(host);
  });

  test.each([
    ...[
      'a/b',
      'a/b@c',
      'a@b',
      'a, b',
      'a b',
      'http://a',
      'a#b',
      'a?b',
      'a\\b',
      '"a"',
      '<a>',
      'a\tb',
      'caf\u00e9',
    ],
    ...[
      'a:b',
      'a:80:80',
      'a:-1',
      'a:+80',
      'a: 80',
      'a :80',
      'a:123456',
      ':80',
      ':',
      '%',
      '%6',
      '%zz',
      '::1',
      '[::1',
      '::1]',
    ],
    ...['[::1]80', '[a]x', '[]', '[::1%25eth0]', '[::1]:x', 'a[::1]'],
  ])('the Host %j', (host) => {
    expect(() => parse(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toThrow('Host');
    expect(() => parse(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`)).toThrow('Host');
  });

  test('a request without Host, except in HTTP/1.0', () => {
    expect(() => parse('GET / HTTP/1.1\r\n\r\n')).toThrow('Host');
    expect(parse('GET / HTTP/1.0\r\n\r\n').minor).toBe(0);
    expect(() => parse('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n')).toThrow(MalformedMessage);
  });
});

describe('the end of a head', () => {
  test('is found wherever the bytes are cut', () => {
    const text = 'GET / HTTP/1.1\r\nHost: h\r\n\r\nbehind';
    for (let cut = 0; cut < text.length; cut += 1) {
      const end = new HeadEnd();
      const first = end.find(Buffer.from(text.slice(0, cut)));
      const found = first === -1 ? end.find(Buffer.from(text)) : first;
      expect(found).toBe(text.indexOf('behind'));
    }
  });

  test.each(['\n', 'GET / HTTP/1.1\n', 'GET / HTTP/1.1\r\nHost: h\n\r\n', 'GET / HTTP/1.1\r\nHost: h\r\n\n'])(
    'a line feed alone is none, and is refused at once: %j',
    (text) => {
      expect(() => new HeadEnd().find(Buffer.from(text))).toThrow(MalformedMessage);
    },
  );
});
