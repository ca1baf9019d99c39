import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readEvents } from '../support/event-reader.ts';
import type { EventReader } from '../support/event-reader.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { jsonRequest, start } from '../support/wire.ts';

const ACP_AGENT = fileURLToPath(
  new URL('../../packages/agent-server/test/support/acp-agent.mjs', import.meta.url),
);
const PERMISSION = {
  toolCall: { toolCallId: 'run', title: 'Run', kind: 'execute' },
  options: [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }],
};
const dialogReply = z.object({ dialog: z.looseObject({ id: z.string() }) });

let server: ServerProcess;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-asking-'));
  const script = join(folder, 'acp.json');
  await writeFile(script, JSON.stringify({ steps: [{ actions: [{ permission: PERMISSION }] }] }));
  const asking = {
    command: process.execPath,
    args: [ACP_AGENT, script],
    transport: 'acp',
    env: { AGENTAPI_ACP_PERMISSIONS: 'ask' },
  };
  server = await startServer({ config: { agents: { asking } } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What a stream has told of how agents are. */
function statusesIn({ events }: EventReader): readonly unknown[] {
  const names = ['session', 'session_status', 'status_change'];
  return events
    .filter(({ name }) => names.includes(name))
    .map(({ data }) => {
      const { status, waiting_for } = z
        .looseObject({ status: z.string().nullable(), waiting_for: z.string().optional() })
        .parse(data);
      return waiting_for === undefined ? status : `${status}, waits for ${waiting_for}`;
    });
}

const kinds = [
  {
    name: 'for permission, over ACP',
    agent: 'asking',
    message: 'go',
    told: 'running, waits for permission',
    answer: async (id: string) =>
      server.request(`/${id}/acp/permissions/1`, jsonRequest({ option_id: 'yes' })),
  },
  {
    name: 'with a dialog in its terminal',
    agent: 'demo',
    message: '/ask',
    told: 'stable, waits for dialog',
    answer: async (id: string) => {
      const { dialog } = dialogReply.parse(await (await server.request(`/${id}/internal/dialog`)).json());
      return server.request(`/${id}/internal/dialog/${dialog.id}`, jsonRequest({ choice: 0 }));
    },
  },
] as const;

describe.each(kinds)('an agent that asks $name', ({ agent, message, told, answer }) => {
  test('waits for somebody: GET /events and the journal tell it, and that it does not any more', async () => {
    const early = await readEvents(`${server.url}/events`);
    const id = await start(server, { agent, message });
    const journal = await readEvents(`${server.url}/sessions/${id}/events`);
    const plain = await readEvents(`${server.url}/${id}/events`);
    const tellsQuestion = (reader: EventReader): boolean => statusesIn(reader).at(-1) === told;
    await eventually('both tell it', () => tellsQuestion(early) && tellsQuestion(journal), 60_000);
    const late = await readEvents(`${server.url}/events`);
    await eventually('whoever comes late is told at once', () => late.events.length > 0);
    expect(late.events[0]).toMatchObject({ name: 'session', data: { session_id: id } });
    expect(statusesIn(late)).toEqual([told]);
    expect((await answer(id)).status).toBe(200);
    const isOver = (reader: EventReader): boolean => statusesIn(reader).at(-1) === 'stable';
    await eventually('all tell the end', () => [early, late, journal, plain].every(isOver), 60_000);
    // The stream of the agent server is exactly agentapi's.
    expect(statusesIn(plain)).not.toContain(told);
    for (const reader of [early, late, journal, plain]) reader.cut();
    await server.request(`/sessions/${id}`, { method: 'DELETE' });
  }, 120_000);
});
