/**
 * Requests that servers are known to read in different ways, or that break a rule of RFC 9110 or RFC 9112: for each of
 * them some pair of servers once disagreed about where a request ends. Written from the RFCs and from the published
 * classes of request smuggling (CL.TE, TE.CL, TE.TE, CL.0, chunk extensions, line ends, h2c, header names).
 */
export interface DesyncCase {
  readonly name: string;
  /** Everything that is sent, as Latin-1. `SESSION` stands for the session's path, `SMUGGLED` for a path of its own. */
  readonly bytes: string;
}

const SMUGGLED = 'GET SMUGGLED HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A POST with these header lines and this body, followed by what an attacker would like to slip through. */
function post(lines: string, body: string, first = 'POST SESSION/attack HTTP/1.1'): string {
  return `${first}\r\nHost: localhost\r\n${lines}\r\n${body}`;
}

function cases(kind: string, list: readonly (readonly [name: string, bytes: string])[]): DesyncCase[] {
  return list.map(([name, bytes]) => ({ name: `${kind}: ${JSON.stringify(name)}`, bytes }));
}

const CHUNKED_NOTHING = `0\r\n\r\n${SMUGGLED}`;

const lengthAndChunks = cases('length and chunks', [
  ...['4', '0', '6', '49', '1000'].flatMap((length): [string, string][] => [
    [
      `CL ${length}, TE`,
      post(`Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n`, CHUNKED_NOTHING),
    ],
    [
      `TE, CL ${length}`,
      post(`Transfer-Encoding: chunked\r\nContent-Length: ${length}\r\n`, CHUNKED_NOTHING),
    ],
  ]),
  ['names in lower case', post('content-length: 4\r\ntransfer-encoding: chunked\r\n', CHUNKED_NOTHING)],
  ['names in upper case', post('CONTENT-LENGTH: 4\r\nTRANSFER-ENCODING: chunked\r\n', CHUNKED_NOTHING)],
  [
    'chunks with a body',
    post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`),
  ],
]);

const badLengths = cases(
  'length',
  [
    ...[
      '+5',
      '-5',
      '- 5',
      '5 5',
      '5,5',
      '5, 5',
      '5,6',
      ', 5',
      '5,',
      '0x5',
      '0X5',
      '5;',
      '5.',
      '.5',
      '5.0',
      '5e0',
    ],
    ...[
      '',
      ' ',
      '"5"',
      "'5'",
      '5\t5',
      '5\u000b',
      '5\u000c',
      '5\u0000',
      '\u00005',
      '5_0',
      '0o5',
      '0b101',
      '५',
    ],
    ...[
      '18446744073709551616',
      '18446744073709551621',
      '9223372036854775808',
      '4294967301',
      '99999999999999999999',
    ],
    ...[
      '00000000000000000000005',
      '1 ',
      'five',
      '5a',
      'a5',
      '5\u00a0',
      '\u00a05',
      '5\r6',
      'chunked',
      '5 \u000b',
    ],
  ].map((value) => [value, post(`Content-Length: ${value}\r\n`, `xxxxx${SMUGGLED}`)]),
);

const repeatedLengths = cases('repeated length', [
  ['equal', post('Content-Length: 5\r\nContent-Length: 5\r\n', `xxxxx${SMUGGLED}`)],
  ['different', post('Content-Length: 5\r\nContent-Length: 0\r\n', `xxxxx${SMUGGLED}`)],
  ['different, the other way', post('Content-Length: 0\r\nContent-Length: 5\r\n', `xxxxx${SMUGGLED}`)],
  ['in other case', post('Content-Length: 5\r\ncontent-length: 0\r\n', `xxxxx${SMUGGLED}`)],
  [
    'with another header between',
    post('Content-Length: 5\r\nX-A: b\r\nContent-Length: 0\r\n', `xxxxx${SMUGGLED}`),
  ],
  ['the first one empty', post('Content-Length:\r\nContent-Length: 5\r\n', `xxxxx${SMUGGLED}`)],
  ['one of them folded', post('Content-Length: 5\r\nContent-Length:\r\n 0\r\n', `xxxxx${SMUGGLED}`)],
]);

const codings = cases(
  'transfer coding',
  [
    ...['Transfer-Encoding : chunked', 'Transfer-Encoding\t: chunked', ' Transfer-Encoding: chunked'],
    ...[
      '\tTransfer-Encoding: chunked',
      'Transfer-Encoding:\u000bchunked',
      'Transfer-Encoding: \u000bchunked',
    ],
    ...[
      'Transfer-Encoding: chunked\u000b',
      'Transfer-Encoding:\u000cchunked',
      'Transfer-Encoding: chunked\u0000',
    ],
    ...['Transfer-Encoding: \u0000chunked', 'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunkedx'],
    ...['Transfer-Encoding: chunk', 'Transfer-Encoding: "chunked"', "Transfer-Encoding: 'chunked'"],
    ...[
      'Transfer-Encoding: chunked;',
      'Transfer-Encoding: chunked;q=1',
      'Transfer-Encoding: chunked, chunked',
    ],
    ...['Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity, chunked'],
    ...[
      'Transfer-Encoding: identity',
      'Transfer-Encoding: gzip, chunked',
      'Transfer-Encoding: chunked, gzip',
    ],
    ...[
      'Transfer-Encoding: gzip',
      'Transfer-Encoding: cow',
      'Transfer-Encoding:',
      'Transfer-Encoding: ,chunked',
    ],
    ...['Transfer-Encoding: chunked,', 'Transfer-Encoding: chunked chunked', 'Transfer-Encoding: [chunked]'],
    ...[
      'Transfer-Encoding: chun ked',
      'Transfer-Encoding: chunked\u00a0',
      'Transfer-Encoding: \u00a0chunked',
    ],
    ...['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'X: x\nTransfer-Encoding: chunked'],
    ...['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', 'X: x\rTransfer-Encoding: chunked'],
    ...['Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', 'Transfer-Encoding\r\n: chunked'],
    ...[
      'Transfer-Encoding:\r\n chunked',
      'Transfer-Encoding: chunked\r\n x',
      'Transfer-Encoding\u0000: chunked',
    ],
    ...['\u0000Transfer-Encoding: chunked', 'Transfer\u00adEncoding: chunked', 'Transfer-Encoding= chunked'],
    ...['Transfer_Encoding: chunked', 'Transfer-Encodin\u0067: chunKed', 'X-Transfer-Encoding: chunked'],
    ...['Transfer-Encoding; chunked', 'Transfer-Encoding chunked', 'Transfer-Encoding: chun\u006bed\u007f'],
  ].flatMap((line): [string, string][] => [
    [`${line} beside a length`, post(`${line}\r\nContent-Length: 4\r\n`, CHUNKED_NOTHING)],
    [line, post(`${line}\r\n`, CHUNKED_NOTHING)],
  ]),
);

const chunks = cases(
  'chunk',
  [
    ...['0x5\r\nxxxxx\r\n', '+5\r\nxxxxx\r\n', '-5\r\nxxxxx\r\n', ' 5\r\nxxxxx\r\n', '5 \r\nxxxxx\r\n'],
    ...['5\t\r\nxxxxx\r\n', '\r\nxxxxx\r\n', 'g\r\nxxxxx\r\n', '5g\r\nxxxxx\r\n', '"5"\r\nxxxxx\r\n'],
    ...[
      '5\nxxxxx\r\n',
      '5\rxxxxx\r\n',
      '5\r\r\nxxxxx\r\n',
      '5\n\r\nxxxxx\r\n',
      '5\r\nxxxxx\n',
      '5\r\nxxxxx\r',
    ],
    ...['5\r\nxxxxx', '5\r\nxxxxxx\r\n', '4\r\nxxxxx\r\n', '5\r\nxxxxxXX', '5;\nxxxxx\r\n', '5;a\nxxxxx\r\n'],
    ...[
      '5;a=b\rxxxxx\r\n',
      '5;\u0000\r\nxxxxx\r\n',
      `5;${'a'.repeat(2_000)}\r\nxxxxx\r\n`,
      '5,5\r\nxxxxx\r\n',
    ],
    ...['fffffffffffffffff\r\nxxxxx\r\n', '10000000000000005\r\nxxxxx\r\n', '100000005\r\nxxxxx\r\n'],
    ...[
      '80000005\r\nxxxxx\r\n',
      'ffffffff\r\nxxxxx\r\n',
      '000000000000000005\r\nxxxxx\r\n',
      '5\u0000\r\nxxxxx\r\n',
    ],
    ...[
      '5\u000b\r\nxxxxx\r\n',
      '\u00005\r\nxxxxx\r\n',
      '5.0\r\nxxxxx\r\n',
      '5_\r\nxxxxx\r\n',
      '5\u00a0\r\nxxxxx\r\n',
    ],
  ].map((first) => [first, post('Transfer-Encoding: chunked\r\n', `${first}0\r\n\r\n${SMUGGLED}`)]),
);

const trailers = cases(
  'after the last chunk',
  [
    ...[
      '0\n\r\n',
      '0\r\n\n',
      '0\r\n\r',
      '0\r\r\n\r\n',
      '0\r\nX: y\n\r\n',
      '0\r\nX: y\r\n\n',
      '0\r\n X: y\r\n\r\n',
    ],
    ...[
      '0\r\nX: y\r\n z\r\n\r\n',
      '0\r\nX\r\n\r\n',
      '0\r\n: y\r\n\r\n',
      '0\r\nX : y\r\n\r\n',
      '0\r\nX: \u0000\r\n\r\n',
    ],
    ...[
      '0\r\nContent-Length: 50\r\n\r\n',
      '0\r\nTransfer-Encoding: chunked\r\n\r\n',
      '0\r\nHost: evil\r\n\r\n',
    ],
    ...[
      '00000000000\r\n\r\n',
      '-0\r\n\r\n',
      '0 \r\n\r\n',
      '0;a\n\r\n',
      '0;a\r\n\r\n',
      '0\r\nX: y\rZ: a\r\n\r\n',
    ],
    ...[`0\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`],
  ].map((end) => [
    end.slice(0, 60),
    post('Transfer-Encoding: chunked\r\n', `5\r\nxxxxx\r\n${end}${SMUGGLED}`),
  ]),
);

const firstLines = cases(
  'first line',
  [
    ...[
      'get SESSION/a HTTP/1.1',
      'GET\tSESSION/a\tHTTP/1.1',
      'GET  SESSION/a HTTP/1.1',
      'GET SESSION/a  HTTP/1.1',
    ],
    ...[' GET SESSION/a HTTP/1.1', 'GET SESSION/a HTTP/1.1 ', 'GET SESSION/a', 'GET SESSION/a HTTP/0.9'],
    ...[
      'GET SESSION/a HTTP/1.2',
      'GET SESSION/a HTTP/2.0',
      'GET SESSION/a HTTP/1.10',
      'GET SESSION/a HTTP/01.1',
    ],
    ...[
      'GET SESSION/a HTTP/1',
      'GET SESSION/a HTTP/1.1x',
      'GET SESSION/a http/1.1',
      'GET SESSION/a HTTP/ 1.1',
    ],
    ...['GET SESSION/a HTTP/1.1\u0000', 'GET SESSION/a\u0000 HTTP/1.1', 'GET SESSION/a\u00e9 HTTP/1.1'],
    ...['GET SESSION/a\rb HTTP/1.1', 'GET SESSION/a\u000bb HTTP/1.1', 'GET SESSION/a b HTTP/1.1'],
    ...[
      'GET SESSION/a#b HTTP/1.1',
      'GET SESSION/a#/../SMUGGLED HTTP/1.1',
      'GET /search#SESSION/a HTTP/1.1',
      'GET SESSION/a?b#c HTTP/1.1',
      'GET http://localhostSESSION/a HTTP/1.1',
      'GET //localhostSESSION/a HTTP/1.1',
    ],
    ...['GET localhost:80 HTTP/1.1', 'GET * HTTP/1.1', 'OPTIONS * HTTP/1.1', 'CONNECT localhost:80 HTTP/1.1'],
    ...['CONNECT SESSION/a HTTP/1.1', 'GET @localhostSESSION/a HTTP/1.1', 'GET \\SESSION/a HTTP/1.1'],
    ...[
      'GET/ SESSION/a HTTP/1.1',
      'G\u0000ET SESSION/a HTTP/1.1',
      'GET: SESSION/a HTTP/1.1',
      'BREW SESSION/a HTTP/1.1',
    ],
    ...[
      'GET SESSION/a HTTP/1.1\rHost: evil',
      'GET SESSION/a HTTP/1.1\nHost: evil',
      'HTTP/1.1 200 OK',
      '',
      ' ',
    ],
    ...['GET SESSION/../SMUGGLED HTTP/1.1', 'GET SESSION/%2e%2e/a HTTP/1.1', 'GET SESSION%2Fa HTTP/1.1'],
    ...['GET SESSION/a?\u0001 HTTP/1.1', `GET SESSION/${'a'.repeat(20_000)} HTTP/1.1`, 'PRI * HTTP/2.0'],
  ].map((first) => [first.slice(0, 60), `${first}\r\nHost: localhost\r\n\r\n${SMUGGLED}`]),
);

const headerNames = cases(
  'header name with',
  [
    ...Array.from('()<>@,;\\"/[]?={} \t\u007f\u0080\u00e9\u00ff'),
    ...Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).filter((c) => c !== '\t'),
  ].map((c) => [c, post(`X${c}Y: z\r\nContent-Length: 5\r\n`, `xxxxx${SMUGGLED}`)]),
);

const headerValues = cases(
  'header value with',
  ['\u007f', ...Array.from({ length: 32 }, (_, code) => String.fromCharCode(code))]
    .filter((c) => c !== '\t')
    .map((c) => [c, post(`X-A: y${c}Content-Length: 49\r\nContent-Length: 5\r\n`, `xxxxx${SMUGGLED}`)]),
);

const headerLines = cases(
  'header line',
  [
    ...[
      'X',
      'X y',
      ': y',
      ':',
      ' : y',
      ' X: y',
      '\tX: y',
      '\r',
      '\u0000',
      'X: y\r\n z',
      'X: y\r\n\tz',
      'X:\r\n y',
    ],
    ...[
      'X: y\r\n \r\nZ: a',
      'X: y\r\n\t\r\nZ: a',
      'X: y\r\r\nZ: a',
      'X: y\n\nGET SMUGGLED HTTP/1.1',
      'X: y\r\n\nZ: a',
    ],
    ...[
      'X: y\n\r\nZ: a',
      'X: y\n',
      'Host: evil',
      'host: localhost',
      'Host : evil',
      ' Host: evil',
      'Host\u0000: evil',
    ],
    ...[
      'Content-Length : 5',
      'Content-Length\t: 5',
      ' Content-Length: 5',
      'Content-Length 5',
      'Content-Length\u0000: 5',
    ],
    ...['Content-Length\u000b: 5', 'Content_Length: 5', 'Content-Length\u00a0: 5', '"Content-Length": 5'],
    ...[
      `X: ${'y'.repeat(20_000)}`,
      `${'X'.repeat(20_000)}: y`,
      Array.from({ length: 500 }, () => 'X: y').join('\r\n'),
    ],
  ].map((line) => [line.slice(0, 60), post(`${line}\r\n`, SMUGGLED)]),
);

const connectionNames = cases(
  'named by Connection',
  [
    ...[
      'content-length',
      'transfer-encoding',
      'host',
      'x-agentapi-token',
      'x-forwarded-for',
      'x-api-key',
      'expect',
    ],
    ...[
      'close, content-length',
      'keep-alive, host',
      'upgrade, content-length',
      'connection',
      'Content-Length',
      ', ,',
    ],
  ].map((name) => [name, post(`Connection: ${name}\r\nContent-Length: 5\r\n`, `xxxxx${SMUGGLED}`)]),
);

const upgrades = cases('upgrade', [
  ...['h2c', 'H2C', 'h2', 'h2c, websocket', 'websocket, h2c', 'websocket', 'TLS/1.0', ''].map(
    (protocol): [string, string] => [
      protocol,
      `GET SESSION/up HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABk\r\n\r\n${SMUGGLED}`,
    ],
  ),
  [
    'with a length',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n', `xxxxx${SMUGGLED}`),
  ],
  [
    'with chunks',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n', CHUNKED_NOTHING),
  ],
  [
    'h2c to the server itself',
    `GET /search HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${SMUGGLED}`,
  ],
  ['in HTTP/1.0', `GET SESSION/up HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${SMUGGLED}`],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
]);

const bodies = cases('body', [
  ...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'].flatMap((method): [string, string][] => [
    [
      `${method} with a length`,
      post('Content-Length: 5\r\n', `xxxxx${SMUGGLED}`, `${method} SESSION/a HTTP/1.1`),
    ],
    [
      `${method} with chunks`,
      post('Transfer-Encoding: chunked\r\n', CHUNKED_NOTHING, `${method} SESSION/a HTTP/1.1`),
    ],
    [`${method} without any`, post('', SMUGGLED, `${method} SESSION/a HTTP/1.1`)],
  ]),
  ['shorter than announced', post('Content-Length: 500\r\n', SMUGGLED)],
  ['a length to the server itself', post('Content-Length: 49\r\n', SMUGGLED, 'GET /search HTTP/1.1')],
  ['length 0', post('Content-Length: 0\r\n', SMUGGLED)],
  ['Expect and none sent', post('Expect: 100-continue\r\nContent-Length: 49\r\n', SMUGGLED)],
  ['Expect something else', post('Expect: 200-ok\r\nContent-Length: 5\r\n', `xxxxx${SMUGGLED}`)],
  [
    'Expect to an unknown session',
    post('Expect: 100-continue\r\nContent-Length: 49\r\n', SMUGGLED, 'POST /nope/a HTTP/1.1'),
  ],
  ['to an unknown session', post('Content-Length: 49\r\n', SMUGGLED, 'POST /nope/a HTTP/1.1')],
  [
    'chunks to an unknown session',
    post('Transfer-Encoding: chunked\r\n', CHUNKED_NOTHING, 'POST /nope/a HTTP/1.1'),
  ],
  [
    'HTTP/1.0 with chunks',
    post('Transfer-Encoding: chunked\r\n', CHUNKED_NOTHING, 'POST SESSION/a HTTP/1.0'),
  ],
  [
    'HTTP/1.0 kept alive',
    post('Connection: keep-alive\r\nContent-Length: 5\r\n', `xxxxx${SMUGGLED}`, 'POST SESSION/a HTTP/1.0'),
  ],
]);

const sequences = cases('sequence', [
  ['three requests at once', 'GET SESSION/a HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3)],
  [
    'a good one, then nonsense',
    `GET SESSION/a HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a good one, then two lengths',
    `GET SESSION/a HTTP/1.1\r\nHost: localhost\r\n\r\n${post('Content-Length: 5\r\nContent-Length: 0\r\n', `xxxxx${SMUGGLED}`)}`,
  ],
  ['to the server, then to the session', `GET /search HTTP/1.1\r\nHost: localhost\r\n\r\n${SMUGGLED}`],
  ['one blank line first', `\r\nGET SESSION/a HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['many blank lines first', `\r\n\r\n\r\nGET SESSION/a HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['a blank line of one character', `\nGET SESSION/a HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['without Host', 'GET SESSION/a HTTP/1.1\r\n\r\n'],
  ['an empty Host', `GET SESSION/a HTTP/1.1\r\nHost:\r\n\r\n`],
  ...[
    'a/b',
    'a/b@localhost',
    'localhost@evil',
    'localhost, evil',
    'localhost#evil',
    'localhost:80:80',
    '[localhost',
  ].map((host): [string, string] => [
    `Host ${host}`,
    `GET SESSION/a HTTP/1.1\r\nHost: ${host}\r\n\r\n${SMUGGLED}`,
  ]),
  ['Host twice', `GET SESSION/a HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n`],
  ['bytes after close', `GET SESSION/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n${SMUGGLED}`],
]);

/** All of them. */
export const DESYNC_CASES: readonly DesyncCase[] = [
  ...[lengthAndChunks, badLengths, repeatedLengths, codings, chunks, trailers, firstLines].flat(),
  ...[headerNames, headerValues, headerLines, connectionNames, upgrades, bodies, sequences].flat(),
];
