import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { formatAgentMessage } from '../src/conversation/formatting/pipeline.ts';
import { findDialog, isBusy, isReady } from '../src/conversation/readiness.ts';
import { screenDiff } from '../src/conversation/screen-diff.ts';
import { findProcesses, identityOf } from '../src/process-tree.ts';
import { runInTerminal } from './support/terminal-user.ts';
import type { TerminalUser } from './support/terminal-user.ts';

const DEMO_AGENT = fileURLToPath(new URL('../dist/program/demo-agent.js', import.meta.url));
const users: TerminalUser[] = [];

afterEach(async () => {
  for (const user of users.splice(0)) await user[Symbol.asyncDispose]();
});

/** The demo agent in a terminal, once it is ready for input. */
async function start(columns = 80, rows = 24): Promise<TerminalUser> {
  const user = runInTerminal([], { command: DEMO_AGENT, columns, rows });
  users.push(user);
  await isIdle(user);
  return user;
}

const screenOf = (user: TerminalUser): string => user.rows().join('\n');

async function isIdle(user: TerminalUser): Promise<void> {
  await user.sees(
    (rows) => isReady('custom', rows.join('\n')) && !isBusy('custom', rows.join('\n')),
    'the input box, idle',
  );
}

/** Types a message as agentapi does (agentapi section 3.5). */
function write(user: TerminalUser, message: string): void {
  for (const part of ['x\b', '\x1b[200~', message, '\x1b[201~', '\r']) user.type(part);
}

/** Sends a message; what is returned reads the answer as it stands in the conversation by then. */
async function say(user: TerminalUser, message: string): Promise<() => string> {
  await isIdle(user);
  const before = screenOf(user);
  write(user, message);
  return () => formatAgentMessage('custom', screenDiff(before, screenOf(user), 'custom'), message);
}

/** Waits for a reading of the screen: it may be read while a frame is only half there. */
const EVENTUALLY = { timeout: 10_000, interval: 20 } as const;

describe('on the screen', () => {
  test('AA-120: shows an input box that counts as ready, for custom and for claude', async () => {
    const user = await start();
    expect(isReady('custom', screenOf(user))).toBe(true);
    expect(isReady('claude', screenOf(user))).toBe(true);
    const rows = user.rows().filter((row) => row !== '');
    expect(rows.slice(-4)).toEqual(['─'.repeat(80), '>', '─'.repeat(80), expect.stringContaining('/help')]);
    expect(user.output()).toContain('\x1b[?2004h');
  });

  test('shows the message, a working indicator right above the box, then the answer', async () => {
    const user = await start();
    write(user, '/think 1.5');
    await user.sees(
      (rows) => rows.some((row) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Working… \([01]s · esc to interrupt\)$/.test(row)),
      'the indicator',
    );
    const rows = user.rows();
    const indicator = rows.findIndex((row) => row.includes('Working…'));
    expect(rows[indicator + 1]).toBe('─'.repeat(80));
    expect(rows.some((row) => row.startsWith('> /think 1.5 '))).toBe(true);
    expect(isBusy('custom', screenOf(user))).toBe(true);
    await user.sees((now) => now.includes('I thought for 1.5 s.'), 'the answer');
    await isIdle(user);
  });

  test.each([
    { columns: 80, rows: 1000 },
    { columns: 80, rows: 24 },
    { columns: 30, rows: 20 },
  ])('answers are read exactly in a terminal of $columns × $rows', async ({ columns, rows }) => {
    const user = await start(columns, rows);
    await expect.poll(await say(user, 'Hello'), EVENTUALLY).toBe('You said: Hello');
    await expect
      .poll(await say(user, 'one\n  two 日本語\n\n👩 é "x" <y> $z'), EVENTUALLY)
      .toBe('You said: one\n  two 日本語\n\n👩 é "x" <y> $z');
    await expect.poll(await say(user, '/stream 3'), EVENTUALLY).toBe('Line 1 of 3\nLine 2 of 3\nLine 3 of 3');
  });

  test('a message that was sent before is answered visibly again', async () => {
    const user = await start(80, 1000);
    for (let turn = 1; turn <= 3; turn += 1) {
      await expect.poll(await say(user, 'Hello'), EVENTUALLY).toBe('You said: Hello');
    }
  });

  test('long lines and wide characters are broken at the width of the terminal', async () => {
    const user = await start(40, 30);
    const message = '日本'.repeat(30);
    const answer = await say(user, message);
    await expect.poll(() => answer().replaceAll('\n', ''), EVENTUALLY).toBe(`You said: ${message}`);
    expect(
      Math.max(
        ...answer()
          .split('\n')
          .map((row) => row.length),
      ),
    ).toBe(25);
  });

  test('only rows that change are written while it works', async () => {
    const user = await start();
    write(user, '/think 1000');
    await user.sees((rows) => isBusy('custom', rows.join('\n')), 'the indicator');
    const begin = user.output().length;
    const since = (): string => user.output().slice(begin);
    await user.sees(() => since().split('Working').length > 3, 'the indicator turn');
    expect(since()).not.toMatch(/─|demo agent|think|\x1b\[2?J/);
  });

  test('a change of size is followed', async () => {
    const user = await start(80, 24);
    await expect.poll(await say(user, 'Hello'), EVENTUALLY).toBe('You said: Hello');
    user.resize(50, 12);
    await user.sees(
      (rows) => rows.includes('─'.repeat(50)) && !rows.includes('─'.repeat(80)),
      'the narrower box',
    );
    await user.sees((rows) => rows.includes('You said: Hello'), 'the conversation');
    expect(isReady('custom', screenOf(user))).toBe(true);
  });
});

describe('keys', () => {
  test('the line is edited: both backspaces, Ctrl+U, Ctrl+J, cursor keys', async () => {
    const user = await start();
    user.type('wrong\x15ab\x7fc\x08d\x1b[Dx\nlast\r');
    await user.sees((rows) => rows.includes('lastd'), 'the edited message');
    expect(user.rows()).toContain('You said: ax');
  });

  test('Escape and Ctrl+C interrupt an answer, Ctrl+C empties the line', async () => {
    const user = await start();
    for (const key of ['\x1b', '\x03']) {
      write(user, '/think 1000');
      await user.sees(() => isBusy('custom', screenOf(user)), 'the indicator');
      user.type(key);
      await isIdle(user);
    }
    expect(user.rows().filter((row) => row === 'Interrupted.')).toHaveLength(2);
    user.type('nonsense');
    await user.sees((rows) => rows.includes('> nonsense'), 'the text');
    user.type('\x03');
    await user.sees((rows) => rows.includes('>'), 'the empty line');
  });

  test('a message that is sent while it works waits for its turn', async () => {
    const user = await start();
    write(user, '/think 0.5');
    await user.sees(() => isBusy('custom', screenOf(user)), 'the indicator');
    write(user, 'me too');
    await user.sees((rows) => rows.includes('You said: me too'), 'the second answer');
    const rows = user.rows();
    expect(rows.indexOf('I thought for 0.5 s.')).toBeLessThan(rows.indexOf('You said: me too'));
  });

  test('/ask shows a dialog, answered by number, by cursor keys, or not at all', async () => {
    const user = await start();
    const ask = async (keys: string, answer: string): Promise<void> => {
      write(user, '/ask');
      await user.sees(() => findDialog('custom', screenOf(user)) !== null, 'the dialog');
      expect(findDialog('custom', screenOf(user))?.text).toContain('Do you want to proceed?');
      expect(isReady('custom', screenOf(user))).toBe(false);
      user.type(keys);
      await isIdle(user);
      expect(user.rows().findLast((row) => row.startsWith('You chose'))).toBe(answer);
    };
    await ask('1', 'You chose: Yes');
    await ask('\x1b[A\r', 'You chose: No, and tell me what to do instead');
    await ask('\x1b', 'You chose nothing.');
    await ask('\x1b[B\r', "You chose: Yes, and don't ask again");
  });
});

describe('commands', () => {
  test('/help names every command; an unknown one is not repeated', async () => {
    const user = await start(80, 60);
    const help = await say(user, '/help');
    for (const name of ['/stream', '/think', '/run', '/ask', '/exit', '/help']) {
      await expect.poll(help, EVENTUALLY).toContain(`  ${name} `);
    }
    await expect.poll(await say(user, '/dance'), EVENTUALLY).toMatch(/^I do not know the command \/dance/);
    await expect
      .poll(await say(user, '/stream many'), EVENTUALLY)
      .toMatch(/^\/stream takes a number of lines/);
    await expect
      .poll(await say(user, '/etc/passwd is a path'), EVENTUALLY)
      .toBe('You said: /etc/passwd is a path');
  });

  test('/run shows output, errors and exit code of a command in the working directory', async () => {
    const user = await start(200, 40);
    await expect
      .poll(await say(user, '/run pwd; echo wrong >&2; exit 3'), EVENTUALLY)
      .toBe(['$ pwd; echo wrong >&2; exit 3', process.cwd(), 'wrong', '(exit code 3)'].join('\n'));
    await expect
      .poll(await say(user, String.raw`/run printf '\033[31mred\033[0m\tx'`), EVENTUALLY)
      .toContain('\nred     x\n(exit code 0)');
  });

  test('/run shows no more than is useful of a long output', async () => {
    const user = await start(80, 24);
    await expect
      .poll(await say(user, '/run seq 100000'), EVENTUALLY)
      .toContain('… 98000 more lines are not shown');
  });

  test('an interrupt ends a command with everything it has started', async () => {
    const user = await start();
    const root = await identityOf(user.pid);
    if (root === null) throw new Error('the agent is gone');
    write(user, '/run sleep 1000 & setsid sleep 1000 & wait');
    await expect.poll(async () => (await findProcesses({ roots: [root] })).length).toBe(4);
    user.type('\x1b');
    await isIdle(user);
    expect(await findProcesses({ roots: [root] })).toHaveLength(1);
  });
});

describe('the end', () => {
  test.each([
    { keys: '/exit\r', code: 0 },
    { keys: '/exit 7\r', code: 7 },
    { keys: '\x04', code: 0 },
  ])('$keys ends it with code $code and restores the terminal', async ({ keys, code }) => {
    const user = await start();
    user.type(keys);
    expect(await user.exited).toEqual({ code, signal: null });
    expect(user.output()).toMatch(/\x1b\[\?25h\x1b\[\?2004l$/);
  });

  test('Ctrl+D on a line with text does nothing', async () => {
    const user = await start();
    user.type('a\x04b\r');
    await user.sees((rows) => rows.some((row) => row.startsWith('You said')), 'the answer');
    expect(user.rows()).toContain('You said: ab');
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
    '%s ends it by that signal, with the command that it runs, and restores the terminal',
    async (signal) => {
      const user = await start();
      const root = await identityOf(user.pid);
      if (root === null) throw new Error('the agent is gone');
      write(user, '/run sleep 1000');
      await expect.poll(async () => (await findProcesses({ roots: [root] })).length).toBeGreaterThan(1);
      process.kill(user.pid, signal);
      expect(await user.exited).toEqual({ code: null, signal });
      expect(user.output()).toContain('\x1b[?2004l');
      expect(await findProcesses({ roots: [root] })).toEqual([]);
    },
  );

  test('the end of its input ends it, with no terminal either', async () => {
    const child = spawn(process.execPath, [DEMO_AGENT], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    child.stdout.resume();
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
  });
});
