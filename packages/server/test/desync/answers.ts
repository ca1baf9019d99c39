const OK = 'HTTP/1.1 200 OK\r\n';
const BAD_GATEWAY = /^HTTP\/1\.1 502 /;
const FINE = /^HTTP\/1\.1 200 /;
const HIDDEN = `${OK}Content-Length: 6\r\n\r\nhidden`;

/** Answers to one request that could be taken for two, or for none: name, bytes, and what the client may see. */
export const HOSTILE_ANSWERS: readonly (readonly [name: string, answer: string, expected: RegExp])[] = [
  [
    'an answer with a length and chunks',
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    BAD_GATEWAY,
  ],
  [
    'an answer with chunks and a length',
    `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`,
    BAD_GATEWAY,
  ],
  [
    'an answer with two lengths',
    `${OK}Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello${HIDDEN}`,
    BAD_GATEWAY,
  ],
  [
    'an answer with the same length twice',
    `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    BAD_GATEWAY,
  ],
  ['an answer with a list of lengths', `${OK}Content-Length: 5, 5\r\n\r\nhello`, BAD_GATEWAY],
  ['an answer with a signed length', `${OK}Content-Length: +5\r\n\r\nhello`, BAD_GATEWAY],
  ['an answer with an empty length', `${OK}Content-Length:\r\n\r\nhello`, BAD_GATEWAY],
  ['an answer with a huge length', `${OK}Content-Length: 18446744073709551621\r\n\r\nhello`, BAD_GATEWAY],
  ['an answer in another coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, BAD_GATEWAY],
  [
    'an answer in two codings',
    `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    BAD_GATEWAY,
  ],
  ['an answer with a folded line', `${OK}X: y\r\n z\r\nContent-Length: 0\r\n\r\n`, BAD_GATEWAY],
  ['an answer with space before a colon', `${OK}Content-Length : 5\r\n\r\nhello`, BAD_GATEWAY],
  ['an answer with a line feed alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', BAD_GATEWAY],
  ['an answer with a carriage return alone', `${OK}X: y\rContent-Length: 5\r\n\r\nhello`, BAD_GATEWAY],
  ['an answer with a NUL', `${OK}X: y\u0000\r\nContent-Length: 0\r\n\r\n`, BAD_GATEWAY],
  ['an answer with a header line without colon', `${OK}X\r\nContent-Length: 0\r\n\r\n`, BAD_GATEWAY],
  ['an answer of HTTP/2', 'HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n', BAD_GATEWAY],
  [
    'an answer of HTTP/1.0 with chunks',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    BAD_GATEWAY,
  ],
  ['an answer without a status', 'HTTP/1.1  OK\r\nContent-Length: 0\r\n\r\n', BAD_GATEWAY],
  ['an answer with a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n', BAD_GATEWAY],
  ['an answer with status 0', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n', BAD_GATEWAY],
  [
    'a change of protocol that nobody offered',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    BAD_GATEWAY,
  ],
  ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(50), BAD_GATEWAY],
  ['a head without end', `${OK}X: ${'y'.repeat(80_000)}`, BAD_GATEWAY],
  ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', BAD_GATEWAY],
  ['a second answer behind the first', `${OK}Content-Length: 5\r\n\r\nhello${HIDDEN}`, FINE],
  ['bytes behind an answer', `${OK}Content-Length: 5\r\n\r\nhello more`, FINE],
  ['an answer behind chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`, FINE],
  ['a body behind 204', `HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n${HIDDEN}`, /^HTTP\/1\.1 204 /],
  ['a body behind 304', `HTTP/1.1 304 Not Modified\r\n\r\n${HIDDEN}`, /^HTTP\/1\.1 304 /],
  [
    'chunks with a bad size',
    `${OK}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
    /^HTTP\/1\.1 (?:200|502) /,
  ],
  [
    'chunks with a line feed alone',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n`,
    /^HTTP\/1\.1 (?:200|502) /,
  ],
  [
    'chunks longer than their size',
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n`,
    /^HTTP\/1\.1 (?:200|502) /,
  ],
];
