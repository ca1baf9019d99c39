import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { AgentStatus } from '../src/conversation/conversation-model.ts';
import {
  startAgent,
  startTui,
  supportFile,
  temporaryFolder,
  unpadded,
} from './support/conversation-harness.ts';

const BUSY = 'message can only be sent when the agent is waiting for user input';

describe.concurrent('status', () => {
  test('AA-073, AA-076, AA-074: running until the prompt is there and the screen stands still, then stable', async () => {
    await using agent = startTui(['--splash', '700']);
    expect(agent.conversation.status()).toBe('running');
    await expect(agent.conversation.send('user', 'too early')).rejects.toMatchObject({
      reason: 'busy',
      message: BUSY,
    });
    await agent.conversation.firstReady;
    expect(agent.conversation.status()).toBe('stable');
    expect(agent.conversation.screen()).toContain('\n> ');
    expect(agent.events.filter(({ kind }) => kind === 'status')).toEqual([
      { kind: 'status', status: 'stable' },
    ]);
  });

  test('AA-074: any change of the screen ends and restarts the stable time', async () => {
    await using agent = startTui();
    await agent.stable();
    await agent.conversation.send('raw', 'h');
    await agent.until(() => agent.conversation.status() === 'running', 'status running');
    await agent.stable();
    const statuses = agent.events.flatMap((event) => (event.kind === 'status' ? [event.status] : []));
    expect(statuses).toEqual(['stable', 'running', 'stable']);
  });

  test('AA-075, AA-051: while a message is sent the status is running and a second one is refused', async () => {
    await using agent = startTui();
    await agent.stable();
    const first = agent.conversation.send('user', 'one');
    expect(agent.conversation.status()).toBe('running');
    await expect(agent.conversation.send('user', 'two')).rejects.toMatchObject({ reason: 'busy' });
    await first;
    await agent.stable();
    expect(agent.lastText()).toBe('You said: one');
    expect(agent.conversation.messages()).toHaveLength(3);
  });

  test('AA-076: a custom agent without any prompt becomes usable after a time', async () => {
    await using agent = startTui(['--no-box'], { timing: { readyTimeoutMs: 1_000 } });
    await agent.stable();
    expect(await agent.ask('hello')).toBe('You said: hello');
  });

  test('a custom agent that has shown nothing yet is not ready, however long it takes to load', async () => {
    const late = "setTimeout(() => process.stdout.write('> '), 1500); process.stdin.resume()";
    await using agent = startAgent(['-e', late], { timing: { readyTimeoutMs: 100, stabilityMs: 100 } });
    await agent.stable();
    expect(agent.conversation.screen()).toMatch(/^> /);
  });

  test('a type with a known prompt that never shows it stays running', async () => {
    await using agent = startTui(['--no-box'], {
      agentType: 'codex',
      timing: { readyTimeoutMs: 100, stabilityMs: 50 },
    });
    await agent.until(() => agent.conversation.screen().includes('Welcome.'), 'the greeting');
    const later = startTui(['--no-box'], { timing: { readyTimeoutMs: 100, stabilityMs: 50 } });
    await later.stable();
    await later.conversation.close();
    expect(agent.conversation.status()).toBe('running');
  });

  test('running while the busy indicator is visible, although the screen stands still', async () => {
    await using agent = startTui();
    await agent.stable();
    // 1.5 s of stillness against a stable time of 0.4 s.
    expect(await agent.ask('busy 1500')).toBe('Worked hard.');
  });

  test('running while the prompt is missing in the middle of an answer', async () => {
    await using agent = startTui();
    await agent.stable();
    expect(await agent.ask('pause 1200')).toBe('First half.\n\nSecond half.');
  });

  test('running while the window title says that the agent works', async () => {
    await using agent = startTui();
    await agent.stable();
    expect(await agent.ask('title 1200')).toBe('Changed the title.');
    expect(agent.conversation.title()).toBe('✳ done');
  });
});

describe.concurrent('history', () => {
  test('AA-133: a tool call is logged once per message, however often it is drawn', async () => {
    const file = fileURLToPath(
      new URL(
        'fixtures/agentapi/lib/msgfmt/testdata/format/codex/remove-task-tool-call/msg.txt',
        import.meta.url,
      ),
    );
    const calls: unknown[] = [];
    const draw = `const text = require('node:fs').readFileSync(process.argv[1], 'utf8').replaceAll('\\n', '\\r\\n');
      let frame = 0;
      const draw = () => process.stdout.write('\\x1b[2J\\x1b[H' + text + '\\r\\nframe ' + (frame += 1));
      setInterval(draw, 60);`;
    await using agent = startAgent(['-e', draw, file], {
      agentType: 'codex',
      columns: 200,
      log: (_, text, fields) => calls.push([text, fields]),
    });
    await agent.until(() => agent.conversation.screen().includes('frame 5'), 'some frames');
    expect(calls.length).toBeGreaterThan(0);
    expect(new Set(calls.map((call) => JSON.stringify(call))).size).toBe(calls.length);
  });

  test('AA-077, AA-040: message 0 is the whole screen and follows it', async () => {
    await using agent = startTui(['--splash', '300']);
    expect(agent.conversation.messages()).toMatchObject([{ id: 0, role: 'agent' }]);
    await agent.stable();
    expect(agent.conversation.messages()).toMatchObject([{ id: 0, role: 'agent' }]);
    expect(agent.lastText()).toBe('Welcome.');
  });

  test('AA-078, AA-080, AA-081: ids are indices, roles alternate, a reply holds only what is new', async () => {
    await using agent = startTui();
    await agent.stable();
    await agent.ask('first');
    await agent.ask('second');
    expect(
      agent.conversation.messages().map(({ id, role, content }) => [id, role, unpadded(content)]),
    ).toEqual([
      [0, 'agent', 'Welcome.'],
      [1, 'user', 'first'],
      [2, 'agent', 'You said: first'],
      [3, 'user', 'second'],
      [4, 'agent', 'You said: second'],
    ]);
  });

  test('AA-079: a user message has the time before typing, an agent message that of its last change', async () => {
    await using agent = startTui();
    await agent.stable();
    const before = new Date();
    await agent.ask('stream 5 100');
    const [, user, reply] = agent.conversation.messages();
    const times = agent.events.flatMap((event) =>
      event.kind === 'message' && event.message.id === 2 ? [event.message.time] : [],
    );
    expect(user!.time.getTime() - before.getTime()).toBeLessThan(times[0]!.getTime() - before.getTime());
    expect(reply!.time).toEqual(times.at(-1));
    expect(times.length).toBeGreaterThan(1);
  });

  test('AA-093: a reply identical to the previous one ends the turn and is recorded', async () => {
    await using agent = startTui();
    await agent.stable();
    expect(await agent.ask('same')).toBe('The same reply.');
    expect(await agent.ask('same')).toBe('The same reply.');
    expect(agent.conversation.messages()).toHaveLength(5);
  });

  test('AA-082: the echo of a message that is being typed never enters the history', async () => {
    await using agent = startTui();
    await agent.stable();
    await agent.ask('hello there');
    const texts = agent.events.flatMap((event) =>
      event.kind === 'message' && event.message.role === 'agent' ? [event.message.content] : [],
    );
    expect(texts.filter((text) => text.includes('hello there\n') && text.includes('> '))).toEqual([]);
    const screens = agent.events.flatMap((event) => (event.kind === 'screen' ? [event.screen] : []));
    expect(screens.some((screen) => screen.includes('> hello there'))).toBe(true);
  });

  test('AA-089: the list that a caller gets is its own', async () => {
    await using agent = startTui();
    await agent.stable();
    const list = agent.conversation.messages();
    await agent.ask('hello');
    expect(list).toHaveLength(1);
  });

  test('AA-097: events of one moment come as status, messages, screen, and none is repeated', async () => {
    await using agent = startTui();
    await agent.stable();
    await agent.ask('stream 20 20');
    const screens = agent.events.filter((event) => event.kind === 'screen');
    const statuses = agent.events.flatMap((event): AgentStatus[] =>
      event.kind === 'status' ? [event.status] : [],
    );
    expect(statuses).toEqual(['stable', 'running', 'stable']);
    for (const [index, event] of screens.entries()) expect(event.screen).not.toBe(screens[index - 1]?.screen);
    const user = agent.events.findIndex((event) => event.kind === 'message' && event.message.role === 'user');
    expect(agent.events[user + 1]).toMatchObject({ kind: 'message', message: { id: 2, role: 'agent' } });
  });
});

describe.concurrent('screens', () => {
  test('AA-102: wide and combining characters arrive as they are', async () => {
    await using agent = startTui();
    await agent.stable();
    expect(await agent.ask('wide')).toBe('日本語 한국어 e\u0301 👍 end');
    expect(await agent.ask('größer 日本 👍')).toBe('You said: größer 日本 👍');
  });

  test('AA-099: the alternate screen is shown while it is on, and leaves no trace', async () => {
    await using agent = startTui();
    await agent.stable();
    const reply = agent.ask('alternate 300');
    await agent.until(
      () => agent.conversation.screen().startsWith('alternate screen'),
      'the alternate screen',
    );
    expect(await reply).toBe('Back again.');
  });

  test('AA-107: a megabyte of output scrolls through', async () => {
    await using agent = startTui();
    await agent.stable();
    expect(await agent.ask('big 1000000')).toContain('Big enough.');
  });

  test('AA-169: a resize reaches the agent and does not put old rows into the reply', async () => {
    await using agent = startTui();
    await agent.stable();
    await agent.ask('first');
    agent.conversation.resize(100, 40);
    await agent.until(() => agent.conversation.screen().indexOf('\n') === 100, 'the new width');
    await agent.stable();
    expect(agent.lastText()).toBe('You said: first');
    expect(agent.conversation.screen().split('\n')).toHaveLength(41);
    expect(await agent.ask('second')).toBe('You said: second');
  });
});

describe.concurrent('dialogs', () => {
  const types = ['claude', 'custom'] as const;
  test.each(types)('a dialog of %s is reported, refuses user messages and takes raw keys', async (type) => {
    await using agent = startTui([], { agentType: type });
    await agent.stable();
    await agent.conversation.send('user', 'ask');
    await agent.until(() => agent.conversation.dialog() !== null, 'the dialog');
    await agent.stable();
    expect(agent.conversation.dialog()?.text).toContain('Yes');
    await expect(agent.conversation.send('user', 'go on')).rejects.toThrow(BUSY);
    expect(agent.conversation.waitingFor()).toBe('dialog');
    await agent.conversation.send('raw', '2');
    await agent.until(() => agent.lastText().endsWith('Kept.'), 'the answer');
    expect(agent.conversation.dialog()).toBeNull();
  });
});

describe.concurrent('the end', () => {
  test('AA-015: the exit code and the last output are reported', async () => {
    await using agent = startTui();
    await agent.stable();
    await agent.conversation.send('user', 'exit 3');
    expect(await agent.conversation.exited).toEqual({ code: 3, signal: null });
    expect(agent.conversation.lastScreenLines(40)).toEqual(['Last words.']);
    await expect(agent.conversation.send('raw', 'x')).rejects.toMatchObject({ reason: 'closed' });
    await expect(agent.conversation.send('user', 'x')).rejects.toMatchObject({ reason: 'closed' });
    await expect(agent.conversation.send('user', ' ')).rejects.toMatchObject({ reason: 'empty' });
  });

  test('AA-016: an agent that ignores its signal is killed', async () => {
    const agent = startTui(['--ignore', 'SIGINT']);
    await agent.stable();
    await agent.conversation.close({ signal: 'SIGINT', graceMs: 200 });
    expect(await agent.conversation.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(() => process.kill(agent.conversation.agentPid, 0)).toThrow('ESRCH');
  });

  test('AA-096: closing refuses a message that is being sent', async () => {
    const agent = startTui(['--ignore-enter', '99']);
    await agent.stable();
    const [sent] = await Promise.allSettled([
      agent.conversation.send('user', 'never'),
      agent.conversation.close({ graceMs: 200 }),
    ]);
    expect(sent).toMatchObject({ status: 'rejected', reason: { reason: 'closed' } });
    expect(agent.conversation.messages()).toHaveLength(1);
  });

  test('a missing program and a missing folder are named', async () => {
    await using folder = await temporaryFolder();
    const env = { PATH: folder.path };
    expect(() => startAgent([], { command: 'no-such-agent', env })).toThrow(
      `program no-such-agent not found in PATH (${folder.path})`,
    );
    expect(() => startAgent([], { cwd: `${folder.path}/none` })).toThrow('working directory');
    expect(() => startAgent([], { command: supportFile('scripted-agent.mjs') })).toThrow('not executable');
  });

  test('AA-020: the agent gets TERM=vt100, its environment and the size of the terminal', async () => {
    const print =
      'console.log(JSON.stringify([process.env.TERM, process.env.A, ...process.stdout.getWindowSize()]))';
    await using agent = startAgent(['-e', print], { columns: 70, rows: 20, env: { A: 'b', TERM: 'xterm' } });
    await agent.conversation.exited;
    expect(agent.conversation.lastScreenLines(1)).toEqual(['["vt100","b",70,20]']);
  });
});
