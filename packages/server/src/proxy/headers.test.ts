import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cors } from '../cors.ts';
import { headersOf } from '../wire/header-index.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { HeaderRules, namedByConnection, withoutOwnCookies } from './headers.ts';
import type { ExchangeFacts } from './headers.ts';

const cors = new Cors({ origins: [], credentials: false });
const rules = new HeaderRules(cors, ['X-My-Key', 'authorization', 'cookie'], true);

const facts: ExchangeFacts = {
  peer: { address: '192.0.2.1', trusted: false, protocol: 'http' },
  sessionId: 's1',
  token: 'the-token',
  trace: null,
  port: 9000,
  requestId: 'r1',
  cors: cors.headersFor(undefined),
  prefix: '/s1',
  path: '/',
};

/** Names whose lines never pass, in any case. */
const DROPPED = [
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'transfer-encoding', 'upgrade'],
  ...['te', 'trailer', 'host', 'expect', 'http2-settings', 'forwarded', 'x-real-ip', 'x-request-id'],
  ...['x-agentapi-token', 'x-forwarded-for', 'x-forwarded-port', 'authorization', 'x-my-key'],
];

type Line = readonly [name: string, value: string];

function request(lines: readonly Line[]): RequestHead {
  const rawHeaders = lines.flat();
  const { headers } = headersOf(rawHeaders);
  const framing = { hasBody: false, length: 0, keepAlive: true, upgrade: null };
  return { method: 'GET', target: '/s1/', minor: 1, rawHeaders, headers, ...framing };
}

/** Names and values in turn of header lines. */
function parts(text: string): string[] {
  return text
    .split('\r\n')
    .slice(0, -1)
    .flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
}

const mixedCase = (name: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(name, fc.boolean()).map(([text, upper]) => (upper ? text.toUpperCase() : text));

test('PX-141, PX-142: of any head, exactly what may not pass is missing, and the rest keeps its order', () => {
  const kept = fc.constantFrom('accept', 'x-a', 'x-b', 'content-type', 'last-event-id', 'x-forward');
  const line = fc.tuple(
    mixedCase(fc.oneof(kept, fc.constantFrom(...DROPPED))),
    fc.constantFrom('1', 'a, b', ''),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 30 }),
      fc.subarray(['x-b', 'X-A', 'close', 'accept']),
      (lines, named) => {
        const head: Line[] = lines.filter(([name]) => !['host', 'connection'].includes(name.toLowerCase()));
        if (named.length > 0) head.push(['Connection', named.join(' , ')]);
        const result = parts(rules.requestLines(request([['Host', 'h'], ...head]), facts));
        const gone = new Set([...DROPPED, ...named.map((name) => name.toLowerCase())]);
        const expected = head.filter(([name]) => !gone.has(name.toLowerCase())).flat();
        expect(result.slice(0, expected.length)).toEqual(expected);
        expect(result.slice(expected.length).filter((_part, i) => i % 2 === 0)).toEqual([
          'X-Forwarded-For',
          'X-Forwarded-Proto',
          'X-Forwarded-Prefix',
          'X-Forwarded-Host',
          'X-Request-Id',
          'x-agentapi-token',
        ]);
      },
    ),
    { numRuns: 500 },
  );
});

test('PX-141: cookies of the proxy are taken out wherever they stand, others are not touched', () => {
  expect(withoutOwnCookies('a=1; b="2;c"; d')).toBe('a=1; b="2;c"; d');
  expect(withoutOwnCookies('agentapi_proxy=1')).toBe('');
  expect(withoutOwnCookies('agentapi_proxy_s=1; a=1')).toBe('a=1');
  expect(withoutOwnCookies('a=1;AgentAPI_proxy_x=2;b=3')).toBe('a=1;b=3');
  expect(withoutOwnCookies('x=agentapi_proxy')).toBe('x=agentapi_proxy');
});

test('PX-142: ordinary values of Connection name no header', () => {
  expect(namedByConnection(undefined)).toBeNull();
  expect(namedByConnection('keep-alive')).toBeNull();
  expect(namedByConnection('close, X-A ,x-b')).toEqual(new Set(['close', 'x-a', 'x-b']));
});
