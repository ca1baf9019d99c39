import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isRunning, until, type AgentScript } from './support/acp-harness.ts';
import { COMMAND } from './support/terminal-user.ts';

const AGENT = fileURLToPath(new URL('support/acp-agent.mjs', import.meta.url));

interface ServerRun extends AsyncDisposable {
  readonly folder: string;
  /** `http://127.0.0.1:PORT`, once it listens. */
  url(): string;
  stdout(): string;
  stderr(): string;
  /** Our end of the server's stderr. */
  readonly errors: Readable;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Waits until the agent can be talked to. */
  started(): Promise<void>;
}

/** Runs `agentapi server --experimental-acp` around the scripted agent. */
function runServer(script: AgentScript, flags: readonly string[] = []): ServerRun {
  const folder = mkdtempSync(join(tmpdir(), 'acp-server-'));
  writeFileSync(join(folder, 'script.json'), JSON.stringify(withPaths(script, folder)));
  const args = [COMMAND, 'server', '--port', '0', '--experimental-acp', ...flags];
  const child = spawn(
    process.execPath,
    [...args, '--', process.execPath, AGENT, join(folder, 'script.json')],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: folder,
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const port = () => / port=(\d+)/u.exec(stdout)?.[1];
  return {
    folder,
    url: () => `http://127.0.0.1:${port() ?? ''}`,
    stdout: () => stdout,
    stderr: () => stderr,
    errors: child.stderr,
    kill: (signal) => void child.kill(signal),
    exited,
    started: () => until(() => port() !== undefined, 'start of the server'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `%` stands for the folder of the run. */
function withPaths(script: AgentScript, folder: string): unknown {
  return JSON.parse(JSON.stringify(script).replaceAll('"%/', `"${folder}/`));
}

const message = (run: ServerRun, content: string) =>
  fetch(`${run.url()}/message`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'user', content }),
  });

describe('AA-158: a signal ends the agent with its children, and the server with 0', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`${signal}, in the middle of a turn`, async () => {
      const script = {
        start: { childPidTo: '%/child', recordTo: '%/record' },
        steps: [{ actions: [{ chunk: 'x' }, { waitForCancel: null }] }],
      };
      await using run = runServer(script);
      await run.started();
      const child = Number(readFileSync(join(run.folder, 'child'), 'utf8'));
      const pending = message(run, 'work').then(
        (response) => response.status,
        () => 'cut',
      );
      await until(() => readFileSync(join(run.folder, 'record'), 'utf8').includes('"prompt"'), 'prompt');
      run.kill(signal);
      await expect(run.exited).resolves.toEqual({ code: 0, signal: null });
      expect(await pending).toBe(500);
      expect(isRunning(child)).toBe(false);
      expect(run.stderr()).toBe('');
    });
  }
});

describe('agentapi section 1.5: the end of the agent is the end of the server', () => {
  test('exit code 0', async () => {
    await using run = runServer({ steps: [{ actions: [{ exit: 0 }] }] });
    await run.started();
    expect((await message(run, 'go')).status).toBe(500);
    await expect(run.exited).resolves.toEqual({ code: 0, signal: null });
  });

  test('AA-015: another exit code, or a signal', async () => {
    await using run = runServer({ start: { stderr: 'oh dear\n' }, steps: [{ actions: [{ exit: 3 }] }] });
    await run.started();
    await message(run, 'go');
    await expect(run.exited).resolves.toEqual({ code: 1, signal: null });
    // The agent's stderr is passed on (agentapi section 7).
    expect(run.stderr()).toBe('oh dear\nagent exited with error: ACP process exited: exit status 3\n');

    await using killed = runServer({ steps: [{ actions: [{ kill: 'SIGKILL' }] }] });
    await killed.started();
    await message(killed, 'go');
    await expect(killed.exited).resolves.toEqual({ code: 1, signal: null });
    expect(killed.stderr()).toBe('agent exited with error: ACP process exited: signal SIGKILL\n');
  });

  test('a session that cannot be opened', async () => {
    await using run = runServer({
      start: { newSessionError: { code: -32603, message: 'no model' } },
      steps: [],
    });
    await expect(run.exited).resolves.toEqual({ code: 1, signal: null });
    expect(run.stderr()).toBe('ACP session/new failed: no model\n');
  });
});

test.each([
  ['leaves', (errors: Readable) => errors.destroy()],
  ['stops reading', (errors: Readable) => errors.pause()],
])("an agent goes on writing to stderr when the reader of the server's stderr %s", async (_, end) => {
  const actions = [{ stderr: 4_000_000 }, { stderr: 4_000_000 }, { chunk: 'done' }];
  await using run = runServer({ steps: [{ actions }] });
  await run.started();
  end(run.errors);
  expect((await message(run, 'go')).status).toBe(200);
  expect((await fetch(`${run.url()}/status`)).status).toBe(200);
  const { messages }: { messages: { content: string }[] } = await (
    await fetch(`${run.url()}/messages`)
  ).json();
  expect(messages.map(({ content }) => content)).toEqual(['go', 'done']);
});

describe('what an agent nests deeply', () => {
  const toolCall = (depth: number) =>
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'session/update',
      params: {
        sessionId: 'session-1',
        update: { sessionUpdate: 'tool_call', toolCallId: 't', title: 'Dig', rawInput: 'DEEP' },
      },
    }).replace('"DEEP"', `${'[7,'.repeat(depth)}0${']'.repeat(depth)}`);

  test.each([1_000, 7_000, 40_000])('is shown as far as it can be: %d values', async (depth) => {
    await using run = runServer({ steps: [{ actions: [{ line: toolCall(depth) }, { chunk: 'done' }] }] });
    await run.started();
    expect((await message(run, 'go')).status).toBe(200);
    const calls = await (await fetch(`${run.url()}/acp/tool-calls`)).text();
    expect(calls).toMatch(/"title":"Dig".*"raw_input":\[7,\[7,.*,"\[left out: nested too deeply\]"\]/u);
    expect(run.stderr()).toBe('');
  });

  test('is ignored with a warning where only reading it would take too long', async () => {
    await using run = runServer({ steps: [{ actions: [{ line: toolCall(60_000) }, { chunk: 'done' }] }] });
    await run.started();
    expect((await message(run, 'go')).status).toBe(200);
    expect(await (await fetch(`${run.url()}/acp/tool-calls`)).json()).toEqual({ tool_calls: [] });
    expect(await (await fetch(`${run.url()}/messages`)).text()).toContain('done');
  });
});

test('AA-155: the initial prompt of the command line is the first turn', async () => {
  await using run = runServer({ steps: [{ expectMessage: 'hello', responseMessage: 'welcome' }] }, [
    '-I',
    'hello',
  ]);
  await run.started();
  const texts = async () => {
    const body: { messages: { content: string }[] } = await (await fetch(`${run.url()}/messages`)).json();
    return body.messages.map(({ content }) => content);
  };
  await expect.poll(texts).toEqual(['hello', 'welcome']);
});

test('--acp-permissions ask holds a permission request until it is answered', async () => {
  const permission = {
    toolCall: { toolCallId: 't', title: 'Do it' },
    options: [{ optionId: 'ok', name: 'OK', kind: 'allow_once' }],
  };
  await using run = runServer({ steps: [{ actions: [{ permission }] }] }, ['--acp-permissions', 'ask']);
  await run.started();
  const sent = message(run, 'go');
  const waiting = async () => (await fetch(`${run.url()}/acp/permissions`)).json();
  await expect.poll(waiting).toMatchObject({ permissions: [{ id: '1', options: [{ option_id: 'ok' }] }] });
  const answer = { method: 'POST', body: JSON.stringify({ option_id: 'ok' }) };
  expect((await fetch(`${run.url()}/acp/permissions/1`, answer)).status).toBe(200);
  expect((await sent).status).toBe(200);
});
