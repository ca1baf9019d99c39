import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AcpEvent } from '@agentapi-proxy/client';
import { expect, test } from 'vitest';
import { eventually, startServer } from '../support/server-process.ts';

const ACP_AGENT = fileURLToPath(
  new URL('../../packages/agent-server/test/support/acp-agent.mjs', import.meta.url),
);

test('the client reads a dialog of an agent, and answers it once', async () => {
  await using server = await startServer();
  const session = await server.client.start();
  await session.waitUntilReady();
  expect(await session.agent.dialog()).toBeNull();
  await session.send('/ask');
  const dialog = await eventually('the agent asks', async () => (await session.agent.dialog()) ?? undefined);
  expect(dialog.choices.map(({ label }) => label)).toContain('Yes');
  await session.agent.choose(dialog.id, 0);
  await expect(session.agent.choose(dialog.id, 0)).rejects.toMatchObject({ kind: 'conflict' });
  await eventually('it has heard the answer', async () =>
    (await session.messages()).some(({ content }) => content.includes('You chose: Yes')),
  );
});

test('the client sees what an agent that speaks ACP does and asks, answers it, and stops it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-acp-'));
  const options = [{ optionId: 'once', name: 'Allow once', kind: 'allow_once' }];
  const permission = { toolCall: { toolCallId: 'run', title: 'Run it', kind: 'execute' }, options };
  const steps = [{ actions: [{ permission }] }, { actions: [{ waitForCancel: null }] }];
  await writeFile(join(folder, 'script.json'), JSON.stringify({ steps }));
  try {
    const asking = {
      command: process.execPath,
      args: [ACP_AGENT, join(folder, 'script.json')],
      transport: 'acp',
      env: { AGENTAPI_ACP_PERMISSIONS: 'ask' },
    };
    await using server = await startServer({ config: { agents: { asking } } });
    const session = await server.client.start({ agent: 'asking' });
    await session.waitUntilReady();
    expect(await session.agent.cancelTurn()).toBe(false);
    await session.conversation.queue('Do it');
    await session.conversation.queue('And wait');
    const seen: AcpEvent['kind'][] = [];
    const stop = new AbortController();
    let stops = 0;
    for await (const event of session.agent.acpEvents({ signal: stop.signal })) {
      seen.push(event.kind);
      if (event.kind === 'permission_request') await session.agent.answer(event.request.id, 'once');
      if (event.kind === 'turn_started' && seen.includes('permission_resolved')) {
        stops += 1;
        expect(await session.agent.cancelTurn()).toBe(true);
      }
      if (event.kind === 'turn_ended' && event.stopReason === 'cancelled') break;
    }
    expect(stops).toBe(1);
    expect(seen).toEqual(expect.arrayContaining(['tool_call', 'permission_request', 'permission_resolved']));
    await expect(session.agent.answer('1', 'once')).rejects.toMatchObject({ kind: 'not_found' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
