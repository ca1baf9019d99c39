import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { rawRequest } from '../support/raw-request.ts';
import { eventually, startServer } from '../support/server-process.ts';
import { start } from '../support/wire.ts';

/** More than a server takes whose limit is {@link LIMIT}, and less than what it keeps free for its own routes. */
const HELD = 12;
const LIMIT = 8;

/** An agent server with requests that it does not answer. */
const STREAMING = {
  agent_server: 'external',
  agentapi_path: new URL('../support/streaming-agentapi.mjs', import.meta.url).pathname,
  start_port: 27_500,
};

test('while there is no room for sessions, their requests are 503 with Retry-After, and /livez, /readyz and the API answer', async () => {
  await using server = await startServer({ config: { limits: { connections: LIMIT } } });
  const id = await start(server);
  await using held = await hold(server.port, HELD);
  const refusal = await eventually('a request is refused', async () => {
    const answer = await rawRequest(server.port, { path: `/${id}/status` });
    return answer.status === 503 && answer;
  });
  expect(refusal.headers['retry-after']).toBe('1');
  expect(JSON.parse(refusal.body)).toMatchObject({ code: 'overloaded' });
  for (const path of ['/livez', '/readyz', '/health', '/search', `/sessions/${id}`, '/metrics']) {
    expect([path, (await rawRequest(server.port, { path })).status]).toEqual([path, 200]);
  }
  held.release();
  await eventually('there is room again', async () => {
    return (await rawRequest(server.port, { path: `/${id}/status` })).status === 200;
  });
});

test('limits.connections_per_address refuses one address with 503 and Retry-After, until it has let go', async () => {
  await using server = await startServer({ config: { limits: { connections_per_address: LIMIT } } });
  await using held = await hold(server.port, HELD);
  const refusal = await eventually('a connection is refused', async () => {
    const answer = await rawRequest(server.port, { path: '/livez' });
    return answer.status === 503 && answer;
  });
  expect(refusal.headers['retry-after']).toBe('1');
  expect(JSON.parse(refusal.body)).toMatchObject({ code: 'too_many_connections' });
  held.release();
  await eventually('it is served again', async () => {
    const answer = await rawRequest(server.port, { path: '/livez' });
    return answer.status === 200;
  });
});

test('limits.answer_seconds ends what an agent server does not answer with 504', async () => {
  await using server = await startServer({ config: { ...STREAMING, limits: { answer_seconds: 0.5 } } });
  const id = await start(server);
  const silent = await rawRequest(server.port, { path: `/${id}/silent` });
  expect(silent.status).toBe(504);
  expect(JSON.parse(silent.body)).toMatchObject({ code: 'upstream_timeout' });
});

test('limits.idle_seconds is announced', async () => {
  await using server = await startServer({ config: { ...STREAMING, limits: { idle_seconds: 7 } } });
  const id = await start(server);
  const status = await rawRequest(server.port, {
    path: `/${id}/status`,
    headers: { connection: 'keep-alive' },
  });
  expect(status.headers['keep-alive']).toBe('timeout=7');
});

/** Connections that ask for nothing. */
async function hold(port: number, count: number): Promise<AsyncDisposable & { release: () => void }> {
  const sockets: Socket[] = Array.from({ length: count }, () =>
    connect(port, '127.0.0.1').on('error', () => {}),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const release = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    release,
    [Symbol.asyncDispose]: async () => {
      release();
      await Promise.resolve();
    },
  };
}
