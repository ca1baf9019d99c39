import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Session } from '@agentapi-proxy/client';
import { eventually } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import { startTalkingServer, TALKING_AGENTS } from '../support/talking-server.ts';
import type { TalkingServer } from '../support/talking-server.ts';

const BUSY = 'message can only be sent when the agent is waiting for user input';

interface Failure {
  /** Method and path. */
  readonly request: string;
  /** Of the answer; absent: there is none. */
  readonly detail?: string;
  /** Whether what was asked for happens all the same. */
  readonly takes?: boolean;
  /** How often; absent: always. */
  readonly times?: number;
}

/** Makes requests to the agent server of a session fail. */
async function makeFail(server: ServerProcess, { id }: Session, failure: Failure): Promise<void> {
  await server.request(`/${id}/fail`, { method: 'POST', body: JSON.stringify(failure) });
}

/** How often that has happened. */
async function failures(server: ServerProcess, { id }: Session): Promise<number> {
  const answer = await server.request(`/${id}/failed`);
  return z.object({ count: z.int() }).parse(await answer.json()).count;
}

describe('a wait for an agent at rest', () => {
  let talking: TalkingServer;
  beforeAll(async () => {
    talking = await startTalkingServer([]);
    // No event comes behind the one that says so.
    await talking.session.conversation.wait('stable', { after: 0 });
  });
  afterAll(async () => talking[Symbol.asyncDispose]());

  test('asks again when the agent server did not tell its status', async () => {
    const { session } = talking;
    await makeFail(talking.server, session, { request: 'GET /status', detail: 'not now', times: 1 });
    const { result } = await session.conversation.wait('stable', { timeoutSeconds: 20 });
    expect(result).toBe('stable');
  });

  test.each(['cancelled', 'failed'])(
    'ends when the last message is %s, although the agent does nothing',
    async (end) => {
      const { server, session } = talking;
      const { conversation } = session;
      await makeFail(server, session, { request: 'POST /message', detail: BUSY });
      const message = await conversation.queue('hello');
      const waiting = conversation.wait('stable', { timeoutSeconds: 60 });
      const before = await failures(server, session);
      await eventually('it waits', async () => (await failures(server, session)) > before);
      if (end === 'failed') await makeFail(server, session, { request: 'POST /message', detail: 'no' });
      // Not while it is being sent.
      else
        await eventually('it is taken back', async () => conversation.cancel(message.id).catch(() => false));
      expect(await waiting).toMatchObject({ result: 'stable', state: 'running' });
      expect((await conversation.queuedMessage(message.id)).state).toBe(end);
    },
  );

  test('counts the first message among those that wait', async () => {
    const { server } = talking;
    const session = await server.client.start({
      message: 'hello',
      environment: { TALK_FAILURES: JSON.stringify({ 'POST /message': { detail: BUSY } }) },
    });
    await eventually(
      'the agent has refused it',
      async () => (await failures(server, session).catch(() => 0)) > 0,
    );
    const early = await session.conversation.wait('stable', { timeoutSeconds: 0.5 });
    expect(early.result).toBe('timeout');
    const waiting = session.conversation.wait('stable', { timeoutSeconds: 60 });
    const before = await failures(server, session);
    await eventually('it waits', async () => (await failures(server, session)) > before);
    await makeFail(server, session, { request: 'POST /message', detail: 'no' });
    expect((await waiting).result).toBe('stable');
  });
});

describe('the server is killed while a message is being sent', () => {
  test.each([
    ['has taken', true],
    ['has not taken', false],
  ])(
    'which the agent %s: the agent gets it once, and what waits behind it after it',
    async (_what, takes) => {
      await using series = await ServerSeries.start({ config: TALKING_AGENTS });
      const session = await series.server.client.start();
      const untilDelivered = async ({ id }: { readonly id: string }): Promise<void> => {
        const { conversation } = series.server.client.session(session.id);
        await eventually(
          'the message is delivered',
          async () => (await conversation.queuedMessage(id)).state === 'delivered',
        );
      };
      await untilDelivered(await session.conversation.queue('go on'));
      await makeFail(series.server, session, { request: 'POST /message', takes, times: 1 });
      // It is not the first one with this text.
      const message = await session.conversation.queue('go on');
      const next = await session.conversation.queue('and then');
      await eventually('it is on its way', async () => (await failures(series.server, session)) > 0);
      expect((await session.conversation.queuedMessage(message.id)).state).toBe('sending');
      const server = await series.crashAndRestart();
      await Promise.all([untilDelivered(message), untilDelivered(next)]);
      const messages = await server.client.session(session.id).messages();
      const said = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
      expect(said).toEqual(['go on', 'go on', 'and then']);
    },
  );
});
