import { readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { IMPATIENT, startTui, temporaryFolder } from './support/conversation-harness.ts';

/** The pieces of input that the agent has received, each as it arrived. */
async function received(path: string): Promise<string[]> {
  const log = await readFile(path, 'utf8').catch(() => '');
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line): string => JSON.parse(line));
}

const PATIENCE = { timeout: 20_000, interval: 20 };

const MESSAGES = {
  short: 'hi',
  long: 'All work and no play makes the agent a dull program. '.repeat(40).trim(),
  unicode: 'größer ≠ 日本語 👩‍👩‍👧 e\u0301 \u200b|',
};
const MULTI_LINE = 'first line\n\n  indented\nlast `line`';

describe.concurrent('what is typed', () => {
  test.each(Object.entries(MESSAGES))(
    'a %s message arrives exactly, as text and as paste',
    async (_, message) => {
      await using folder = await temporaryFolder();
      for (const flags of [[], ['--paste']]) {
        const log = `${folder.path}/input${flags.length}`;
        await using agent = startTui(['--log', log, ...flags]);
        await agent.stable();
        await agent.conversation.send('user', message);
        const text = flags.length === 0 ? message : `\x1b[200~${message}\x1b[201~`;
        expect((await received(log)).join('')).toBe(`${text}\r`);
        expect(agent.conversation.messages()[1]?.content).toBe(message);
      }
    },
  );

  test('a message of several lines is one message, as text and as paste', async () => {
    for (const flags of [[], ['--paste']]) {
      await using folder = await temporaryFolder();
      const log = `${folder.path}/input`;
      await using agent = startTui(['--log', log, ...flags]);
      await agent.stable();
      const windows = MULTI_LINE.replaceAll('\n', '\r\n');
      await agent.conversation.send('user', windows);
      const text = flags.length === 0 ? MULTI_LINE : `\x1b[200~${MULTI_LINE}\x1b[201~`;
      expect((await received(log)).join('')).toBe(`${text}\r`);
      expect(agent.conversation.messages()[1]?.content).toBe(MULTI_LINE);
    }
  });

  test('a paste that ends in a backslash is followed by a blank: Enter would only break the line', async () => {
    const message = 'first \\\nC:\\temp\\';
    for (const flags of [[], ['--paste']]) {
      await using folder = await temporaryFolder();
      const log = `${folder.path}/input`;
      await using agent = startTui(['--log', log, ...flags]);
      await agent.stable();
      await agent.conversation.send('user', message);
      const text = flags.length === 0 ? message : `\x1b[200~${message}\x1b[201~ `;
      expect((await received(log)).join('')).toBe(`${text}\r`);
      expect(agent.conversation.messages()[1]?.content).toBe(message);
    }
  });

  test('AA-083: claude gets x and backspace alone, then the paste, then Enter alone', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--paste'], {
      agentType: 'claude',
      // What an agent reads later than that arrives together.
      timing: { typingPauseMs: 2_000 },
    });
    await agent.stable();
    await agent.conversation.send('user', 'hello');
    expect(await received(log)).toEqual(['x\b', '\x1b[200~hello\x1b[201~', '\r']);
    await agent.stable();
    expect(agent.lastText()).toBe('You said: hello');
  });

  test('AA-021: amp gets a space and a backspace right after the start, once', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--splash', '60000'], { agentType: 'amp' });
    await agent.conversation.send('raw', 'then');
    await vi.waitFor(async () => expect((await received(log)).join('')).toBe(' \bthen'), PATIENCE);
  });

  test('control characters are keys, not text: a message cannot leave its paste', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--paste']);
    await agent.stable();
    await agent.conversation.send('user', 'a\x1b[201~\x03b');
    expect((await received(log)).join('')).toBe('\x1b[200~a[201~b\x1b[201~\r');
  });

  test('AA-045, AA-050: raw keys go through at once, unchanged and unrecorded, also while a message is sent', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--ignore-enter', '2'], { timing: IMPATIENT });
    await agent.stable();
    const sending = agent.conversation.send('user', 'slow');
    await agent.conversation.send('raw', '\x1b[A');
    await agent.conversation.send('raw', '');
    expect(agent.conversation.status()).toBe('running');
    expect(agent.conversation.messages()).toHaveLength(1);
    await agent.until(() => agent.conversation.screen().includes('slow'), 'the echo');
    await sending;
    expect((await received(log)).join('')).toContain('\x1b[A');
    expect(agent.conversation.messages().filter(({ role }) => role === 'user')).toHaveLength(1);
  });

  test('raw keys are taken before the agent is ready', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--splash', '60000']);
    await agent.until(() => agent.conversation.screen().includes('Welcome.'), 'the greeting');
    await agent.conversation.send('raw', 'early\x1b');
    await agent.until(() => agent.conversation.screen().includes('Welcome.'), 'the greeting');
    await vi.waitFor(async () => expect(await received(log)).toEqual(['early\x1b']), PATIENCE);
  });
});

describe.concurrent('delivery', () => {
  test('AA-088, AA-043: an empty message is refused as empty even while the agent works', async () => {
    await using agent = startTui();
    await expect(agent.conversation.send('user', ' \n\t')).rejects.toMatchObject({
      reason: 'empty',
      message: 'message must not be empty',
    });
  });

  test('AA-085: an agent that shows no typed text still gets the message', async () => {
    await using agent = startTui(['--no-echo']);
    await agent.stable();
    expect(await agent.ask('unseen')).toBe('You said: unseen');
  });

  test('AA-084: Enter is repeated until the agent reacts', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--ignore-enter', '2'], { timing: IMPATIENT });
    await agent.stable();
    expect(await agent.ask('again')).toBe('You said: again');
    expect(await received(log)).toEqual(['again', '\r', '\r', '\r']);
  });

  test('AA-086, AA-087, AA-094: without a reaction nothing is recorded and the input line is cleared', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--ignore-enter', '3'], { timing: IMPATIENT });
    await agent.stable();
    await expect(agent.conversation.send('user', 'lost\nfor ever')).rejects.toMatchObject({
      reason: 'delivery',
      message:
        'failed to send message: failed to wait for processing to start: timeout waiting for condition',
    });
    expect(agent.conversation.messages()).toHaveLength(1);
    expect((await received(log)).filter((key) => key === '\r')).toHaveLength(3);
    await agent.stable();
    expect(await agent.ask('found')).toBe('You said: found');
    expect(agent.conversation.messages()).toHaveLength(3);
  });

  test('AA-095: a message is typed as soon as it has been accepted', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log]);
    await agent.stable();
    const sending = agent.conversation.send('user', 'now');
    // Not even a screen that begins to move now holds the message up.
    await agent.conversation.send('raw', '!');
    await sending;
    expect((await received(log)).join('')).toBe('now!\r');
  });
});

describe.concurrent('the initial prompt', () => {
  test('AA-090, AA-091: is sent once when the agent is ready, and the status is running until then', async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/input`;
    await using agent = startTui(['--log', log, '--splash', '600'], { initialPrompt: ' Do it.\n' });
    await agent.stable();
    expect(agent.lastText()).toBe('You said: Do it.');
    expect((await received(log)).join('')).toBe('Do it.\r');
    expect(agent.events.filter(({ kind }) => kind === 'status')).toEqual([
      { kind: 'status', status: 'stable' },
    ]);
  });

  test('AA-092: one of white space is ignored, one that fails is reported and can be sent by hand', async () => {
    await using blank = startTui([], { initialPrompt: ' \n ' });
    await blank.stable();
    expect(blank.conversation.messages()).toHaveLength(1);

    await using agent = startTui(['--ignore-enter', '3'], { initialPrompt: 'Do it.', timing: IMPATIENT });
    await agent.until(() => agent.conversation.errors().length > 0, 'the error');
    expect(agent.conversation.errors()).toMatchObject([
      { level: 'error', message: expect.stringContaining('failed to send initial prompt: ') },
    ]);
    await agent.stable();
    expect(await agent.ask('Do it.')).toBe('You said: Do it.');
  });
});
