import { once } from 'node:events';
import { expect, test } from 'vitest';
import { InProcessSocket } from './in-process-socket.ts';

test('what was written stays as it was, though its memory is used again and the other end has not read it yet', async () => {
  const [server, client] = InProcessSocket.pair('10.0.0.1');
  const memory = Buffer.alloc(1_024);
  let expected = '';
  for (const text of ['first', 'second', 'third']) {
    memory.fill(text);
    expected += memory.toString();
    await new Promise((resolve) => server.write(memory, resolve));
  }
  memory.fill(0);
  server.destroySoon();
  let received = '';
  client.setEncoding('utf8').on('data', (piece: string) => {
    received += piece;
  });
  await once(client, 'close');
  expect(received).toBe(expected);
});
