import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRunning, runAcp, until } from './support/acp-harness.ts';

const contents = (run: ReturnType<typeof runAcp>) =>
  run.conversation.messages().map(({ id, role, content }) => ({ id, role, content }));

describe('start', () => {
  test('AA-149: initialize and session/new at start; history empty, status stable without a prompt', async () => {
    await using run = runAcp({ steps: [] });
    expect(run.conversation.status()).toBe('running');
    await run.conversation.started;
    await run.conversation.firstReady;
    expect(run.conversation.status()).toBe('stable');
    expect(run.conversation.messages()).toEqual([]);
    expect(run.conversation.screen()).toBe('');
    expect(run.recorded()).toMatchObject([
      { initialize: { protocolVersion: 1, clientCapabilities: { terminal: false } } },
      { newSession: { cwd: run.folder, mcpServers: [] } },
    ]);
    expect(run.events).toEqual([{ kind: 'status', status: 'stable' }]);
  });

  test('AA-155: the initial prompt is the first turn; the status is running until its end', async () => {
    await using run = runAcp(
      { steps: [{ expectMessage: 'hello', responseMessage: 'welcome' }] },
      { initialPrompt: ' hello\n' },
    );
    await run.conversation.firstReady;
    expect(contents(run)).toEqual([
      { id: 0, role: 'user', content: 'hello' },
      { id: 1, role: 'agent', content: 'welcome' },
    ]);
    expect(run.events.filter((event) => event.kind === 'status')).toEqual([
      { kind: 'status', status: 'stable' },
    ]);
  });

  test('AA-092: a blank initial prompt is ignored, a failed one is an error event', async () => {
    await using blank = runAcp({ steps: [] }, { initialPrompt: ' \n' });
    await blank.conversation.firstReady;
    expect(blank.conversation.messages()).toEqual([]);

    await using failed = runAcp({ steps: [{ expectMessage: 'other' }] }, { initialPrompt: 'hello' });
    await failed.conversation.firstReady;
    await until(() => failed.conversation.errors().length > 0, 'error');
    expect(failed.conversation.errors()).toMatchObject([
      { level: 'error', message: 'Failed to send initial prompt: expected other, got hello' },
    ]);
  });

  test('a program that does not exist is a start error', async () => {
    await using run = runAcp({ steps: [] }, { command: '/nonexistent/agent', args: [] });
    await expect(run.conversation.started).rejects.toThrow(/^failed to start the agent: .*ENOENT/u);
    await expect(run.conversation.exited).resolves.toEqual({ code: 127, signal: null });
    expect(run.conversation.agentPid).toBeUndefined();
  });

  test('an agent that exits at once is a start error that tells the exit code and its last words', async () => {
    await using run = runAcp({ start: { exit: 3, stderr: 'no licence\n' }, steps: [] });
    await expect(run.conversation.started).rejects.toThrow(
      'ACP initialize failed: ACP process exited: exit status 3',
    );
    await run.conversation.exited;
    expect(run.conversation.lastScreenLines(40)).toContain('no licence');
  });

  test('an agent that asks for a login is a start error that says so, and is ended', async () => {
    await using run = runAcp({
      start: {
        newSessionError: { code: -32000, message: 'Authentication required' },
        authMethods: [{ id: 'oauth', name: 'Browser' }],
      },
      steps: [],
    });
    await expect(run.conversation.started).rejects.toThrow(
      "ACP session/new failed: Authentication required (log in with the agent's own command line first; it offers oauth)",
    );
    await run.conversation.exited;
  });

  test('an agent of another protocol version or without an answer is a start error, and is ended', async () => {
    await using newer = runAcp({ start: { protocolVersion: 9 }, steps: [] });
    await expect(newer.conversation.started).rejects.toThrow('the agent speaks protocol version 9, not 1');
    await using silent = runAcp({ start: { silent: true }, steps: [] }, { startTimeoutMs: 300 });
    await expect(silent.conversation.started).rejects.toThrow('ACP initialize failed: no answer in time');
    await Promise.all([newer.conversation.exited, silent.conversation.exited]);
  });
});

describe('turns', () => {
  test('AA-165: acp_basic of appendix B gives two messages', async () => {
    const steps = JSON.parse(
      readFileSync(new URL('fixtures/agentapi/e2e/testdata/acp_basic.json', import.meta.url), 'utf8'),
    );
    await using run = runAcp({ steps });
    await run.conversation.started;
    await run.conversation.send('user', 'This is a test message.');
    expect(contents(run)).toEqual([
      { id: 0, role: 'user', content: 'This is a test message.' },
      { id: 1, role: 'agent', content: 'Echo: This is a test message.' },
    ]);
  });

  test('AA-150: one prompt with the trimmed text and no control bytes; send returns when the turn ends', async () => {
    await using run = runAcp((folder) => ({
      steps: [{ actions: [{ chunk: 'a' }, { waitForFile: join(folder, 'go') }, { chunk: 'b' }] }],
    }));
    await run.conversation.started;
    let ended = false;
    const sent = run.conversation.send('user', ' \tfirst line\n\n第二行 🚀 \r\n').finally(() => {
      ended = true;
    });
    await until(() => run.conversation.screen() === 'a', 'first chunk');
    expect(ended).toBe(false);
    expect(run.conversation.status()).toBe('running');
    run.release('go');
    await sent;
    expect(run.conversation.status()).toBe('stable');
    expect(run.recorded().filter((entry) => 'prompt' in entry)).toEqual([
      { prompt: [{ type: 'text', text: 'first line\n\n第二行 🚀' }] },
    ]);
  });

  test('AA-151, AA-156: the user message is emitted at once, chunks grow one message in order, untrimmed', async () => {
    const pieces = Array.from({ length: 300 }, (_, index) => `${index} `);
    await using run = runAcp((folder) => ({
      steps: [{ actions: [{ waitForFile: join(folder, 'go') }, { chunk: '\n  ' }, { chunks: pieces }] }],
    }));
    await run.conversation.started;
    const sent = run.conversation.send('user', 'count');
    expect(run.events.slice(1)).toMatchObject([
      { kind: 'message', message: { id: 0, role: 'user', content: 'count' } },
      { kind: 'status', status: 'running' },
    ]);
    expect(contents(run)).toHaveLength(2);
    run.release('go');
    await sent;
    const whole = `\n  ${pieces.join('')}`;
    expect(contents(run)[1]).toEqual({ id: 1, role: 'agent', content: whole });
    expect(run.conversation.screen()).toBe(whole);
    const grown = run.events.flatMap((event) =>
      event.kind === 'message' && event.message.role === 'agent' ? [event.message] : [],
    );
    expect(grown.at(-1)?.content).toBe(whole);
    for (const [index, message] of grown.entries()) {
      expect(message.id).toBe(1);
      expect(message.content.startsWith(grown[index - 1]?.content ?? '')).toBe(true);
      // The time of an agent message stays its creation time.
      expect(message.time).toEqual(run.conversation.messages()[1]?.time);
    }
    const last = run.events.slice(-3);
    expect(last.map((event) => event.kind)).toEqual(['message', 'status', 'screen']);
  });

  test('AA-152: tool calls and their states are text', async () => {
    await using run = runAcp({
      steps: [
        {
          actions: [
            { chunk: 'Let me see.' },
            { update: { sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'hm' } } },
            { update: { sessionUpdate: 'tool_call', toolCallId: 't1', kind: 'read', title: 'Read a.txt' } },
            { update: { sessionUpdate: 'tool_call_update', toolCallId: 't1', title: 'no status' } },
            { update: { sessionUpdate: 'tool_call_update', toolCallId: 't1', status: 'completed' } },
            { chunk: 'Done.' },
          ],
        },
      ],
    });
    await run.conversation.started;
    await run.conversation.send('user', 'go');
    expect(contents(run)[1]?.content).toBe(
      'Let me see.\n[Tool: read] Read a.txt\n\n[Tool Status: completed]\nDone.',
    );
  });

  test('AA-153, AA-088: a second message is refused while a turn runs; untrimmed before empty before busy', async () => {
    await using run = runAcp((folder) => ({ steps: [{ actions: [{ waitForFile: join(folder, 'go') }] }] }));
    const busy = 'message can only be sent when the agent is waiting for user input';
    await expect(run.conversation.send('user', 'too early')).rejects.toThrow(busy);
    await run.conversation.started;
    const first = run.conversation.send('user', 'first');
    await expect(run.conversation.send('user', 'second')).rejects.toMatchObject({
      reason: 'busy',
      message: busy,
    });
    await expect(run.conversation.send('user', ' \n')).rejects.toMatchObject({
      reason: 'empty',
      message: 'message must not be empty',
    });
    for (const blank of ['\u00a0', '\u0085text', 'text\u3000']) {
      await expect(run.conversation.send('user', blank)).rejects.toMatchObject({
        reason: 'untrimmed',
        message: 'message must be trimmed of leading and trailing whitespace',
      });
    }
    run.release('go');
    await first;
    expect(contents(run)).toHaveLength(2);
  });

  test('AA-154: a failed prompt removes the answer, keeps the question, does not reuse the id', async () => {
    await using run = runAcp({
      steps: [
        {
          actions: [
            { chunk: 'half' },
            {
              later: {
                ms: 0,
                actions: [
                  { chunk: 'too late' },
                  { update: { sessionUpdate: 'tool_call', toolCallId: 't1', title: 'after it' } },
                ],
              },
            },
            { fail: { message: 'quota', data: { details: 'come back tomorrow' } } },
          ],
        },
        { actions: [{ chunk: 'fine' }] },
      ],
    });
    await run.conversation.started;
    await expect(run.conversation.send('user', 'one')).rejects.toMatchObject({
      reason: 'delivery',
      message: 'quota: come back tomorrow',
    });
    expect(contents(run)).toEqual([{ id: 0, role: 'user', content: 'one' }]);
    expect(run.conversation.status()).toBe('stable');
    await until(() => run.conversation.toolCalls().length === 1, 'what comes after the text');
    expect(contents(run)).toEqual([{ id: 0, role: 'user', content: 'one' }]);
    await run.conversation.send('user', 'two');
    expect(contents(run).slice(1)).toEqual([
      { id: 2, role: 'user', content: 'two' },
      { id: 3, role: 'agent', content: 'fine' },
    ]);
  });

  test('AA-154: text that provably belongs to an earlier turn does not enter the next one', async () => {
    const chunk = (messageId: string, text: string) => ({
      update: { sessionUpdate: 'agent_message_chunk', messageId, content: { type: 'text', text } },
    });
    await using run = runAcp({
      steps: [
        {
          actions: [
            chunk('m1', 'one'),
            { update: { sessionUpdate: 'tool_call', toolCallId: 't1', title: 'slow' } },
          ],
        },
        {
          actions: [
            chunk('m1', ' late'),
            { update: { sessionUpdate: 'tool_call_update', toolCallId: 't1', status: 'completed' } },
            chunk('m2', 'two'),
          ],
        },
      ],
    });
    await run.conversation.started;
    await run.conversation.send('user', 'a');
    await run.conversation.send('user', 'b');
    expect(contents(run).map(({ content }) => content)).toEqual([
      'a',
      'one\n[Tool: other] slow\n',
      'b',
      'two',
    ]);
    expect(run.conversation.toolCalls()).toMatchObject([{ id: 't1', status: 'completed' }]);
  });

  test('the answer that arrives just after the end of its turn is not lost', async () => {
    await using run = runAcp({ steps: [{ actions: [{ later: { ms: 0, actions: [{ chunk: 'late' }] } }] }] });
    await run.conversation.started;
    await run.conversation.send('user', 'a');
    expect(contents(run)[1]?.content).toBe('late');
  });

  test('a raw message is a prompt outside the history, its output is discarded; keys are no prompts', async () => {
    await using run = runAcp((folder) => ({
      steps: [{ actions: [{ waitForFile: join(folder, 'go') }, { chunk: 'first' }] }],
    }));
    await run.conversation.started;
    const first = run.conversation.send('user', 'first');
    await run.conversation.send('raw', 'x\b\u001b[200~ raw text \u001b[201~');
    for (const keys of ['', '\r', '\u001b[200~\u001b[201~']) await run.conversation.send('raw', keys);
    run.release('go');
    await first;
    await until(
      () => run.acpEvents.filter(({ kind }) => kind === 'turn-ended').length === 2,
      'end of raw turn',
    );
    await until(() => run.conversation.status() === 'stable', 'stable');
    await run.conversation.send('user', 'last');
    expect(run.recorded().flatMap((entry) => ('prompt' in entry ? [entry['prompt']] : []))).toEqual([
      [{ type: 'text', text: 'first' }],
      [{ type: 'text', text: ' raw text ' }],
      [{ type: 'text', text: 'last' }],
    ]);
    expect(contents(run).map(({ content }) => content)).toEqual(['first', 'first', 'last', 'echo: last']);
  });

  test('AA-089: the returned list is a copy', async () => {
    await using run = runAcp({ steps: [] });
    await run.conversation.started;
    await run.conversation.send('user', 'a');
    const list = run.conversation.messages();
    await run.conversation.send('user', 'b');
    expect(list).toHaveLength(2);
    expect(run.conversation.messages()).toHaveLength(4);
  });
});

describe('cancel', () => {
  test('a cancelled turn ends, keeps what was said, and the agent was told', async () => {
    await using run = runAcp({ steps: [{ actions: [{ chunk: 'I beg' }, { waitForCancel: null }] }] });
    await run.conversation.started;
    await expect(run.conversation.cancelTurn()).resolves.toBe(false);
    const sent = run.conversation.send('user', 'work');
    await until(() => run.conversation.screen() === 'I beg', 'chunk');
    await expect(run.conversation.cancelTurn()).resolves.toBe(true);
    await sent;
    expect(contents(run)[1]?.content).toBe('I beg');
    expect(run.recorded()).toContainEqual({ cancel: { sessionId: 'session-1' } });
    expect(run.acpEvents.at(-1)).toEqual({ kind: 'turn-ended', stopReason: 'cancelled' });
    await run.conversation.send('user', 'again');
    expect(contents(run).at(-1)?.content).toBe('echo: again');
  });

  test('an agent that fails a cancelled prompt is treated the same; raw Ctrl+C cancels', async () => {
    await using run = runAcp({ steps: [{ actions: [{ chunk: 'I beg' }, { waitForCancelThenFail: null }] }] });
    await run.conversation.started;
    const sent = run.conversation.send('user', 'work');
    await until(() => run.conversation.screen() === 'I beg', 'chunk');
    await run.conversation.send('raw', '\u0003');
    await sent;
    expect(contents(run)[1]?.content).toBe('I beg');
    expect(run.conversation.status()).toBe('stable');
  });
});

describe('misbehaving agents', () => {
  test('lines that are no protocol are skipped and kept as diagnostics', async () => {
    await using run = runAcp({
      start: { stdoutNoise: 'Loading…\n{"level":"info"}\n[1,2]\n\n' },
      steps: [
        { actions: [{ line: 'oops {' }, { line: '"text"' }, { line: '{"jsonrpc":"2.0"}' }, { chunk: 'ok' }] },
      ],
    });
    await run.conversation.started;
    await run.conversation.send('user', 'a');
    expect(contents(run)[1]?.content).toBe('ok');
    expect(run.conversation.lastScreenLines(10)).toEqual([
      'Loading…',
      '{"level":"info"}',
      '[1,2]',
      'oops {',
      '"text"',
      '{"jsonrpc":"2.0"}',
    ]);
    expect(run.conversation.lastScreenLines(1)).toEqual(['{"jsonrpc":"2.0"}']);
  });

  test('unknown and malformed protocol messages do no harm', async () => {
    const raw = (message: unknown) => ({ line: JSON.stringify(message) });
    await using run = runAcp({
      steps: [
        {
          actions: [
            raw({
              jsonrpc: '2.0',
              method: 'session/update',
              params: { update: { sessionUpdate: 'new_kind' } },
            }),
            raw({ jsonrpc: '2.0', method: 'session/update', params: 7 }),
            raw({ jsonrpc: '2.0', method: 'future/notification', params: {} }),
            raw({ jsonrpc: '2.0', id: 999, result: {} }),
            raw({ jsonrpc: '2.0', id: 998, method: 'session/request_permission', params: {} }),
            { readFile: '/etc/hostname' },
          ],
        },
      ],
    });
    await run.conversation.started;
    await run.conversation.send('user', 'a');
    // Not advertised, so refused: "method not found".
    expect(contents(run)[1]?.content).toBe('-32601');
  });

  test('a line of 9 MiB arrives whole; one beyond 10 MiB is skipped and reported', async () => {
    const big = 9 * 1024 * 1024;
    await using run = runAcp({
      steps: [{ actions: [{ hugeChunk: big }, { hugeChunk: 11 * 1024 * 1024 }, { chunk: 'end' }] }],
    });
    await run.conversation.started;
    await run.conversation.send('user', 'a');
    const content = contents(run)[1]?.content ?? '';
    expect(content.length).toBe(big + 3);
    expect(content.endsWith('xend')).toBe(true);
    expect(run.conversation.errors()).toMatchObject([
      { level: 'warning', message: 'The agent sent a line longer than 10485760 bytes; ignored' },
    ]);
  });

  test('a crash in a turn fails the message with the exit status, after reading what was said', async () => {
    await using run = runAcp({ steps: [{ actions: [{ chunk: 'bye' }, { exit: 7 }] }] });
    await run.conversation.started;
    await expect(run.conversation.send('user', 'a')).rejects.toMatchObject({
      reason: 'delivery',
      message: 'ACP process exited: exit status 7',
    });
    await expect(run.conversation.exited).resolves.toEqual({ code: 7, signal: null });
    expect(run.events.some((event) => event.kind === 'message' && event.message.content === 'bye')).toBe(
      true,
    );
    expect(contents(run)).toEqual([{ id: 0, role: 'user', content: 'a' }]);
    await expect(run.conversation.send('user', 'b')).rejects.toMatchObject({ reason: 'closed' });
  });

  test('a death by signal is told as such', async () => {
    await using run = runAcp({ steps: [{ actions: [{ kill: 'SIGKILL' }] }] });
    await run.conversation.started;
    await expect(run.conversation.send('user', 'a')).rejects.toThrow('ACP process exited: signal SIGKILL');
    await expect(run.conversation.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('an agent that closes its output but lives on is ended', async () => {
    await using run = runAcp({ steps: [{ actions: [{ closeStdout: null }] }] });
    await run.conversation.started;
    await expect(run.conversation.send('user', 'a')).rejects.toThrow('the agent closed its output');
    await expect(run.conversation.exited).resolves.toEqual({ code: null, signal: 'SIGTERM' });
  });
});

describe('close', () => {
  test('AA-158: close ends the agent and its children by SIGTERM; a waiting send is refused', async () => {
    await using run = runAcp((folder) => ({
      start: { childPidTo: join(folder, 'child') },
      steps: [{ actions: [{ chunk: 'x' }, { waitForCancel: null }] }],
    }));
    await run.conversation.started;
    const child = Number(readFileSync(join(run.folder, 'child'), 'utf8'));
    expect(isRunning(child)).toBe(true);
    const sent = run.conversation.send('user', 'a');
    await until(() => run.conversation.screen() === 'x', 'chunk');
    const failure = sent.catch((error: unknown) => error);
    await run.conversation.close();
    expect(await failure).toMatchObject({ reason: 'closed' });
    await expect(run.conversation.exited).resolves.toEqual({ code: null, signal: 'SIGTERM' });
    expect(isRunning(child)).toBe(false);
  });

  test('AA-158: an agent that ignores SIGTERM is killed after the grace', async () => {
    await using run = runAcp({ start: { ignoreTerm: true }, steps: [] });
    await run.conversation.started;
    await run.conversation.close({ graceMs: 200 });
    await expect(run.conversation.exited).resolves.toEqual({ code: null, signal: 'SIGKILL' });
    expect(run.recorded()).toContainEqual({ signal: 'SIGTERM' });
  });

  test('AA-158: children of an agent that ends by itself are ended too', async () => {
    await using run = runAcp((folder) => ({
      start: { childPidTo: join(folder, 'child') },
      steps: [{ actions: [{ exit: 0 }] }],
    }));
    await run.conversation.started;
    const child = Number(readFileSync(join(run.folder, 'child'), 'utf8'));
    await expect(run.conversation.send('user', 'a')).rejects.toThrow('exit status 0');
    await until(() => !isRunning(child), 'end of the child');
  });

  test('closing before the session is open fails the start', async () => {
    await using run = runAcp({ start: { silent: true }, steps: [] });
    const failure = run.conversation.started.catch((error: unknown) => error);
    await run.conversation.close();
    expect(await failure).toMatchObject({ message: expect.stringContaining('ACP initialize failed') });
  });
});

test('two conversations at once do not mix', async () => {
  const steps = [{ actions: [{ chunks: Array.from({ length: 100 }, () => 'a') }] }];
  await using left = runAcp({ steps });
  await using right = runAcp({ steps: [{ actions: [{ chunks: Array.from({ length: 100 }, () => 'b') }] }] });
  await Promise.all([left.conversation.started, right.conversation.started]);
  await Promise.all([left.conversation.send('user', 'l'), right.conversation.send('user', 'r')]);
  expect(contents(left)[1]?.content).toBe('a'.repeat(100));
  expect(contents(right)[1]?.content).toBe('b'.repeat(100));
});
