import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { lineAgent } from '../support/line-agent.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ask, start, untilStable } from '../support/wire.ts';

const CONFIG = { agents: { line: lineAgent() }, default_agent: 'line' };

async function logOf(server: ServerProcess, id: string): Promise<string> {
  return (await server.request(`/sessions/${id}/log?lines=5000`)).text();
}

test('DEBUG=true shows requests, changes of the status and lengths of messages in the log of the session', async () => {
  await using server = await startServer({ config: CONFIG });
  const environment = { DEBUG: 'true', MY_TOKEN: 'secret-of-the-request' };
  const id = await start(server, { environment, agent_args: ['secret-argument'] });
  await untilStable(server, id);
  await ask(server, id, 'secret-question');
  await server.request(`/${id}/status?token=secret-query`, { headers: { cookie: 'a=secret-cookie' } });
  const log = await eventually('the request is in the log', async () => {
    const text = await logOf(server, id);
    return text.includes('path=/status') && text;
  });
  expect(log).toMatch(/level=DEBUG msg="Starting the agent" .*arguments=\d+/);
  expect(log).toMatch(/level=DEBUG msg=Status status=stable waitingFor=message/);
  expect(log).toMatch(/level=DEBUG msg=Message id=\d+ role=user characters=15/);
  expect(log).toMatch(/level=DEBUG msg=Request method=POST path=\/message status=200 complete=true ms=\d+/);
  expect(log).not.toContain('secret');
});

test('DEBUG=true: a client that leaves early is no failure', async () => {
  await using server = await startServer({ config: CONFIG });
  const id = await start(server, { environment: { DEBUG: 'true' } });
  await untilStable(server, id);
  const socket = createConnection(server.port, '127.0.0.1');
  socket.write(`GET /${id}/events HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await eventually('the stream is in the log', async () =>
    /msg=Request method=GET path=\/events status=200 complete=false/.test(await logOf(server, id)),
  );
  expect(await ask(server, id, 'hello')).toContain('got hello');
});

test('without DEBUG, or with another value, the log stays as it is', async () => {
  await using server = await startServer({ config: CONFIG });
  for (const environment of [{}, { DEBUG: 'app:*' }, { DEBUG: 'false' }]) {
    const id = await start(server, { environment });
    await untilStable(server, id);
    await ask(server, id, 'hello');
    expect(await logOf(server, id)).not.toContain('level=DEBUG');
  }
});
