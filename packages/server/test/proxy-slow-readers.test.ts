import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { UNOBSERVED } from '../src/request-observer.ts';
import { exchange, ID, startBackend, startProxy, TestSession } from './proxy-harness.ts';

const LIVE = 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

describe('requests are pipelined, and the answers are not read', () => {
  /** So often another client is served meanwhile without any progress. */
  const ENOUGH = 20;

  test.each([
    // Far more than the buffers of the system hold, in requests and in answers.
    ['refusals', '/unknown/x', 400, 40_000, 'session_not_found'],
    ['answers of an agent', `/${ID}/x`, 12_000, 1_500, 'last byte'],
  ])(
    '%s: the server takes no more than it has answered, and answers everything in order once they are read',
    async (_kind, path, padding, count, ending) => {
      await using agent = await startBackend((_req, res) => res.end(`${'x'.repeat(20_000)}last byte`));
      let answered = 0;
      await using proxy = await startProxy({
        sessions: [new TestSession(ID, { port: agent.port, token: null })],
        observer: { ...UNOBSERVED, ended: () => void (answered += 1) },
      });
      const client = connect(proxy.port, '127.0.0.1').pause();
      const pad = 'p'.repeat(padding);
      let sent = 0;
      const send = (): void => {
        while (sent < count) {
          sent += 1;
          const lines = `X-Request-Id: ${sent}\r\nConnection: ${sent === count ? 'close' : 'keep-alive'}\r\n`;
          if (!client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}X-Pad: ${pad}\r\n\r\n`))
            return;
        }
      };
      client.on('drain', send);
      send();
      let before = -1;
      for (let still = 0; still < ENOUGH; still = answered === before && answered > 0 ? still + 1 : 0) {
        before = answered;
        await exchange(proxy.port, LIVE);
      }
      expect(answered).toBeLessThan(count);
      expect(sent).toBeLessThan(count);

      const pieces: Buffer[] = [];
      client.on('data', (piece: Buffer) => pieces.push(piece)).resume();
      await once(client, 'close');
      const text = Buffer.concat(pieces).toString('latin1');
      const ids = Array.from(text.matchAll(/\r\nX-Request-Id: (\d+)\r\n/gi), ([, id]) => Number(id));
      expect(ids).toEqual(Array.from({ length: count }, (_, i) => i + 1));
      expect(text.split(ending)).toHaveLength(count + 1);
    },
  );
});

test('one large answer of the control plane is whole, however slowly it is read, as long as it is read', async () => {
  const stall = 1_000;
  const answer = Buffer.alloc(
    48 * 1024 * 1024,
    'An answer that is far larger than all buffers of the system. ',
  );
  await using proxy = await startProxy({
    sessions: [],
    control: (_req, res) => res.end(answer),
    limits: {
      total: 10,
      perAddress: 10,
      exempt: () => false,
      times: { head: 20_000, body: 20_000, idle: 20_000, stall },
      sweepMs: 20,
      loopDelayMs: Number.POSITIVE_INFINITY,
    },
  });
  const client = connect(proxy.port, '127.0.0.1');
  client.write(LIVE);
  const begin = performance.now();
  const pieces: Buffer[] = [];
  let taken = 0;
  client.on('data', (piece: Buffer) => {
    pieces.push(piece);
    taken += piece.length;
    // Much is left until the time is over in which a client must have taken something.
    if (taken < 2 * 1024 * 1024 || performance.now() - begin > 2 * stall) return;
    taken = 0;
    client.pause();
    setTimeout(() => client.resume(), stall / 10);
  });
  await once(client, 'close');
  const received = Buffer.concat(pieces);
  expect(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(answer)).toBe(true);
});
