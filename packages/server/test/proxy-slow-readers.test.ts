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
