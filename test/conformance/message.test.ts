import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { getSession, messagesOf, remove, start, untilStable, untilState } from '../support/wire.ts';

describe('the first message', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer({
      config: {
        message_timeout_seconds: 20,
        agents: {
          late: {
            command: 'sh',
            args: ['-c', `sleep 4; while :; do printf '> '; read line; echo "got $line"; done`],
          },
        },
      },
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function settled(id: string): Promise<Awaited<ReturnType<typeof getSession>>> {
    return await eventually(
      'the first message is delivered or given up',
      async () => {
        const session = await getSession(server, id);
        return session.initial_message?.state !== 'pending' && session;
      },
      28_000,
    );
  }

  async function userMessages(id: string): Promise<string[]> {
    const messages = await messagesOf(server, id);
    return messages.filter(({ role }) => role === 'user').map(({ content }) => content);
  }

  test('PX-106, PX-110: is delivered, trimmed, once the agent is ready', async () => {
    const id = await start(server, { message: '  Hello\n' });
    expect((await getSession(server, id)).initial_message).toEqual({ state: 'pending' });
    expect((await settled(id)).initial_message).toMatchObject({ state: 'delivered', at: expect.any(String) });
    await untilStable(server, id);
    expect(await userMessages(id)).toEqual(['Hello']);
  });

  test('PX-107: the message tag wins, an empty one does not', async () => {
    const tagged = await start(server, { tags: { message: 'from the tag' }, message: 'from the member' });
    const fallback = await start(server, { tags: { message: '' }, message: 'from the member' });
    await Promise.all([settled(tagged), settled(fallback)]);
    expect(await userMessages(tagged)).toEqual(['from the tag']);
    expect(await userMessages(fallback)).toEqual(['from the member']);
  });

  test('PX-233: params.message works too', async () => {
    const id = await start(server, { params: { message: 'from the params' } });
    await settled(id);
    expect(await userMessages(id)).toEqual(['from the params']);
  });

  test('PX-108: waits for an agent that is ready only after four seconds', async () => {
    const id = await start(server, { agent: 'late', message: 'patience' });
    expect((await settled(id)).initial_message).toMatchObject({ state: 'delivered' });
    await eventually('the agent has got it', async () =>
      (await messagesOf(server, id)).some(
        ({ role, content }) => role === 'agent' && content.includes('got patience'),
      ),
    );
  });

  test('PX-109: is delivered exactly once', async () => {
    const id = await start(server, { message: 'only once' });
    await settled(id);
    await untilStable(server, id);
    const text = (await messagesOf(server, id)).map(({ content }) => content).join('\n');
    expect(await userMessages(id)).toEqual(['only once']);
    expect(text.match(/only once/g)).toHaveLength(2);
  });

  test('without a message there is none', async () => {
    const id = await start(server, { message: '   ' });
    expect((await getSession(server, id)).initial_message).toBeUndefined();
  });

  test('PX-112: a session that ends first says that the message was not delivered, and gets no further request', async () => {
    const id = await start(server, { agent: 'late', message: 'never' });
    await untilState(server, id, 'running');
    await remove(server, id);
    expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('PX-111: an agent that is never ready leaves a reason within the limit, and a usable session', async () => {
    await using impatient = await startServer({
      config: {
        message_timeout_seconds: 3,
        agents: { mute: { command: 'sh', args: ['-c', 'while :; do date +%N; sleep 0.3; done'] } },
      },
    });
    const id = await start(impatient, { agent: 'mute', message: 'hello?' });
    const session = await eventually('the message is given up', async () => {
      const found = await getSession(impatient, id);
      return found.initial_message?.state === 'failed' && found;
    });
    expect(session.initial_message?.reason).toMatch(/not ready.*within 3 s/);
    expect(session.state).toBe('running');
    expect((await impatient.request(`/${id}/status`)).status).toBe(200);
  });
});
