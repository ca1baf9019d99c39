import { fileURLToPath } from 'node:url';
import type { TerminalEvent } from '@agentapi-proxy/client';
import { expect, test } from 'vitest';
import { startServer } from '../support/server-process.ts';

const SCREEN_AGENT = fileURLToPath(new URL('../support/screen-agent.mjs', import.meta.url));

test('the client follows the screen of an agent, as output and as text, and changes its size', async () => {
  const screen = { command: process.execPath, args: [SCREEN_AGENT], type: 'custom' };
  await using server = await startServer({ config: { agents: { screen } } });
  const session = await server.client.start({ agent: 'screen' });
  await expect.poll(async () => (await session.details()).state, { timeout: 30_000 }).toBe('running');
  for await (const text of session.agent.screens({ signal: AbortSignal.timeout(30_000) })) {
    if (text.includes('Ready')) break;
  }

  const seen: TerminalEvent[] = [];
  for await (const event of session.agent.terminal({ signal: AbortSignal.timeout(30_000) })) {
    seen.push(event);
    if (seen.length === 1) await session.sendRaw('q');
    else if (event.kind === 'output' && event.data.includes('Bytes: 71')) {
      await session.agent.resizeTerminal(100, 50);
    } else if (event.kind === 'repaint' && event.columns === 100) break;
  }
  expect(seen[0]).toMatchObject({ kind: 'repaint', columns: 80, rows: 1_000 });
  expect(seen[0]?.data).toContain('\u001b[31mcolour 31');
  expect(seen.at(-1)).toMatchObject({ kind: 'repaint', columns: 100, rows: 50 });
  expect(seen.at(-1)?.data).toContain('Bytes: 71');
  await expect(session.agent.resizeTerminal(1, 1)).rejects.toMatchObject({ kind: 'invalid_request' });
});
