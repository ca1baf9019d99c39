import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ClientConnection } from '../wire/client-connection.ts';
import { overdueOf } from './connection-sweep.ts';
import { InProcessSocket } from './in-process-socket.ts';

const TIMES = { head: 20_000, body: 600_000, idle: 65_000, stall: 120_000 };

test('who is given the last answer has the same time to take it as for any other', async () => {
  const [server, client] = InProcessSocket.pair('10.0.0.1');
  const connection = new ClientConnection(server, {
    maxHeadBytes: 16_384,
    staysLines: '',
    onRequest: () => {
      connection.write(Buffer.alloc(1024 * 1024));
      connection.finish();
    },
    onMalformed: () => server.destroy(),
    onClosed: () => {},
  });
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await once(client, 'readable');
  const now = performance.now();
  expect(connection.phase).toBe('closing');
  expect(overdueOf(connection, now, TIMES)).toBeNull();
  expect(overdueOf(connection, now + TIMES.stall / 2, TIMES)).toBeNull();
  expect(overdueOf(connection, now + TIMES.stall + 1, TIMES)).toBe('stalled');
  client.resume();
  await once(server, 'close');
});
