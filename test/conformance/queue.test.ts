import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Session } from '@agentapi-proxy/client';
import { eventually } from '../support/server-process.ts';
import { startTalkingServer } from '../support/talking-server.ts';
import type { TalkingServer } from '../support/talking-server.ts';

const BUSY = 'message can only be sent when the agent is waiting for user input';

describe('a wait for an agent at rest', () => {
  let talking: TalkingServer;
  beforeAll(async () => {
    talking = await startTalkingServer([]);
    // No event comes behind the one that says so.
    await talking.session.conversation.wait('stable', { after: 0 });
  });
  afterAll(async () => talking[Symbol.asyncDispose]());

  async function refusals({ id }: Session): Promise<number> {
    const answer = await talking.server.request(`/${id}/failed`);
    return z.object({ count: z.int() }).parse(await answer.json()).count;
  }

  async function makeFail({ id }: Session, request: string, detail: string, times?: number): Promise<void> {
    const body = JSON.stringify({ request, detail, times });
    await talking.server.request(`/${id}/fail`, { method: 'POST', body });
  }

  test('asks again when the agent server did not tell its status', async () => {
    const { session } = talking;
    await makeFail(session, 'GET /status', 'not now', 1);
    const { result } = await session.conversation.wait('stable', { timeoutSeconds: 20 });
    expect(result).toBe('stable');
  });

  test.each(['cancelled', 'failed'])(
    'ends when the last message is %s, although the agent does nothing',
    async (end) => {
      const { session } = talking;
      const { conversation } = session;
      await makeFail(session, 'POST /message', BUSY);
      const message = await conversation.queue('hello');
      const waiting = conversation.wait('stable', { timeoutSeconds: 60 });
      const before = await refusals(session);
      await eventually('it waits', async () => (await refusals(session)) > before);
      if (end === 'failed') await makeFail(session, 'POST /message', 'no');
      // Not while it is being sent.
      else
        await eventually('it is taken back', async () => conversation.cancel(message.id).catch(() => false));
      expect(await waiting).toMatchObject({ result: 'stable', state: 'running' });
      expect((await conversation.queuedMessage(message.id)).state).toBe(end);
    },
  );

  test('counts the first message among those that wait', async () => {
    const session = await talking.server.client.start({
      message: 'hello',
      environment: { TALK_FAILURES: JSON.stringify({ 'POST /message': { detail: BUSY } }) },
    });
    await eventually('the agent has refused it', async () => (await refusals(session).catch(() => 0)) > 0);
    const early = await session.conversation.wait('stable', { timeoutSeconds: 0.5 });
    expect(early.result).toBe('timeout');
    const waiting = session.conversation.wait('stable', { timeoutSeconds: 60 });
    const before = await refusals(session);
    await eventually('it waits', async () => (await refusals(session)) > before);
    await makeFail(session, 'POST /message', 'no');
    expect((await waiting).result).toBe('stable');
  });
});
