import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { HAS_NGINX, startNginxRecorder, startNodeRecorder, startStrictRecorder } from './desync/backends.ts';
import type { RecordingBackend } from './desync/backends.ts';
import { HOSTILE_ANSWERS } from './desync/answers.ts';
import { DESYNC_CASES } from './desync/corpus.ts';
import { exchange, ID, startProxy, TestSession, until } from './proxy-harness.ts';

/** Asks for a path on a connection of its own and gives what came back behind the head. */
async function ask(port: number, path: string): Promise<{ status: string; body: string }> {
  const answer = await exchange(
    port,
    `GET /${ID}${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  return { status: answer.slice(9, 12), body: answer.slice(answer.indexOf('\r\n\r\n') + 4) };
}

/** Sends an attack and waits until the proxy has done with everything that it will ever do with it. */
async function attack(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await new Promise((resolve) => socket.write(bytes, 'latin1', resolve));
  // Another client is served after these bytes have arrived: what they cause is under way by then.
  await exchange(port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  socket.end();
  await closed;
  return received;
}

/** Sends the whole corpus through the proxy, with an ordinary client after each attack. */
async function expectWithstood(start: () => Promise<RecordingBackend>): Promise<void> {
  await using backend = await start();
  const session = new TestSession(ID, { port: backend.port, token: 'the-token' });
  await using proxy = await startProxy({ sessions: [session] });
  for (const [i, { name, bytes }] of DESYNC_CASES.entries()) {
    await attack(
      proxy.port,
      bytes.replaceAll('SESSION', `/${ID}`).replaceAll('SMUGGLED', `/${ID}/smuggled-${i}`),
    );
    const victim = `/victim-${i}`;
    expect([name, await ask(proxy.port, victim)]).toEqual([name, { status: '200', body: `path ${victim}` }]);
    // Never more than was let in; those that were broken off may not have arrived.
    const arrived = (await backend.requests()).length;
    expect([name, arrived <= session.touched]).toEqual([name, true]);
  }
  expect(backend.complaints).toEqual([]);
  const victims = (await backend.requests()).filter((line) => line.startsWith('GET /victim-'));
  expect(victims).toHaveLength(DESYNC_CASES.length);
}

const PROMISE = `of ${DESYNC_CASES.length} requests that servers read differently none hides another one`;

describe('attacks', { timeout: 180_000 }, () => {
  test(`DF-23: before Node ${PROMISE}`, () => expectWithstood(startNodeRecorder));
  test(`DF-23: before a strict reader ${PROMISE}`, () => expectWithstood(startStrictRecorder));
  test.skipIf(!HAS_NGINX)(`DF-23: before nginx ${PROMISE} [needs nginx]`, () =>
    expectWithstood(startNginxRecorder),
  );
});

describe('answers', () => {
  test.each(HOSTILE_ANSWERS)('PX-143: %s reaches nobody else', async (_name, answer, expected) => {
    let first = true;
    // The first connection is that of an agent server gone wrong; the others answer with the path.
    const server = createServer((socket) => {
      const hostile = first;
      first = false;
      let text = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
          const path = text.split(' ', 2)[1] ?? '';
          text = text.slice(end + 4);
          if (hostile && path === '/attack') socket.write(answer, 'latin1');
          else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length + 5}\r\n\r\npath ${path}`);
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const session = new TestSession(ID, { port: address.port, token: null });
    await using proxy = await startProxy({ sessions: [session] });
    const client = connect(proxy.port, '127.0.0.1');
    let received = '';
    client.on('error', () => {});
    client.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    client.write(`GET /${ID}/attack HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => received.includes('\r\n\r\n'), 'an answer');
    expect(received).toMatch(expected);
    for (const path of ['/one', '/two', '/three']) {
      expect(await ask(proxy.port, path)).toEqual({ status: '200', body: `path ${path}` });
    }
    client.destroy();
    server.close();
  });
});
