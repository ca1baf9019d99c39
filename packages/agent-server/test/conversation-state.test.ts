import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { startTui, temporaryFolder, unpadded } from './support/conversation-harness.ts';

const fixture = new URL(
  'fixtures/agentapi/lib/screentracker/testdata/expected_saved_state.json',
  import.meta.url,
);
const HISTORY = [
  { id: 0, message: 'Welcome.', role: 'agent', time: '2025-01-01T00:00:00.5Z' },
  { id: 1, message: 'old question', role: 'user', time: '2025-01-01T01:00:00.123456789+02:00' },
  { id: 2, message: 'old answer', role: 'agent', time: '2025-01-01T00:00:01.9Z' },
];

function stateText(changes: object = {}): string {
  const state = { version: 1, messages: HISTORY, initial_prompt: '', initial_prompt_sent: false, ...changes };
  return `${JSON.stringify(state)}\n`;
}

/** Options and helpers for one state file in a folder of its own. */
async function stateFolder() {
  const folder = await temporaryFolder();
  const path = `${folder.path}/state.json`;
  return {
    path,
    folder: folder.path,
    options: { stateFile: path, loadState: true, saveState: true },
    read: async (): Promise<unknown> => JSON.parse(await readFile(path, 'utf8')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe.concurrent('saving', () => {
  test('AA-137, AA-138: the file has the schema of the reference, mode 0600, parents 0700, no temporary file', async () => {
    await using state = await stateFolder();
    const stateFile = `${state.folder}/a/b/state.json`;
    await using agent = startTui([], { ...state.options, stateFile, initialPrompt: 'hello' });
    await agent.stable();
    await agent.conversation.saveState();
    const text = await readFile(stateFile, 'utf8');
    expect(text.endsWith('}\n') && !text.slice(0, -1).includes('\n')).toBe(true);
    const saved: { messages: Record<string, unknown>[] } = JSON.parse(text);
    expect(saved).toMatchObject({ version: 1, initial_prompt: 'hello', initial_prompt_sent: true });
    const sample: { messages: object[] } = JSON.parse(await readFile(fixture, 'utf8'));
    expect(Object.keys(saved)).toEqual(Object.keys(sample));
    expect(Object.keys(saved.messages[0]!)).toEqual(Object.keys(sample.messages[0]!));
    expect(saved.messages.map(({ id, role, message }) => [id, role, unpadded(String(message))])).toEqual([
      [0, 'agent', 'Welcome.'],
      [1, 'user', 'hello'],
      [2, 'agent', 'You said: hello'],
    ]);
    expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
    expect((await stat(`${state.folder}/a`)).mode & 0o777).toBe(0o700);
    expect(await readdir(`${state.folder}/a/b`)).toEqual(['state.json']);
  });

  test('AA-139: nothing is written when nothing has changed or saving is off', async () => {
    await using state = await stateFolder();
    await using agent = startTui([], { ...state.options, timing: { saveDelayMs: 60_000 } });
    await agent.stable();
    await agent.conversation.saveState();
    const { mtimeNs } = await stat(state.path, { bigint: true });
    await agent.conversation.saveState();
    expect((await stat(state.path, { bigint: true })).mtimeNs).toBe(mtimeNs);

    const unsaved = `${state.folder}/unsaved.json`;
    const silent = startTui([], { ...state.options, stateFile: unsaved, saveState: false });
    await silent.stable();
    await silent.conversation.saveState();
    await silent.conversation.close({ graceMs: 500 });
    expect(await readdir(state.folder)).toEqual(['state.json']);
  });

  test('AA-172: changes are saved by themselves, and survive a kill of everything', async () => {
    await using state = await stateFolder();
    await using agent = startTui([], state.options);
    await agent.stable();
    await agent.ask('hello');
    await vi.waitFor(async () => expect(await readFile(state.path, 'utf8')).toContain('You said: hello'), {
      timeout: 20_000,
    });
  });

  test('a save that fails rejects when asked for and is logged otherwise', async () => {
    await using state = await stateFolder();
    await mkdir(`${state.path}.tmp`);
    const notes: string[] = [];
    const log = (_: string, text: string): number => notes.push(text);
    await using agent = startTui([], { ...state.options, log });
    await agent.stable();
    await expect(agent.conversation.saveState()).rejects.toThrow('EISDIR');
    await agent.until(() => notes.includes('Failed to save the session state'), 'the note');
    expect(agent.conversation.errors()).toEqual([]);
  });

  test('AA-172: a save that fails is tried again until it succeeds, and told once', async () => {
    await using state = await stateFolder();
    const parent = `${state.folder}/parent`;
    await writeFile(parent, 'in the way');
    const notes: string[] = [];
    const log = (_: string, text: string): number => notes.push(text);
    await using agent = startTui([], {
      ...state.options,
      stateFile: `${parent}/state.json`,
      loadState: false,
      log,
    });
    await agent.stable();
    await agent.ask('hello');
    // Nothing changes any more; so what fails from here on is tried again by itself.
    await agent.until(() => notes.includes('Failed to save the session state'), 'the note');
    await rm(parent);
    await vi.waitFor(
      async () => expect(await readFile(`${parent}/state.json`, 'utf8')).toContain('You said: hello'),
      { timeout: 20_000 },
    );
    expect(notes.filter((note) => note === 'Failed to save the session state')).toHaveLength(1);
  });
});

describe.concurrent('restoring', () => {
  test('AA-140, AA-145, AA-148: a file of the reference comes back as it was, and the last answer stays', async () => {
    await using state = await stateFolder();
    await writeFile(state.path, stateText({ unknown_member: 1 }));
    await using agent = startTui([], state.options);
    await agent.stable();
    await agent.conversation.send('raw', 'something on the screen');
    await agent.until(() => agent.conversation.screen().includes('something'), 'the echo');
    const expected = HISTORY.map(({ id, message, role, time }) => ({
      id,
      role,
      content: message,
      time: new Date(time),
    }));
    expect(agent.conversation.messages()).toEqual(expected);
    await agent.conversation.send('raw', '\x15');
    await agent.stable();
    expect(agent.events.filter((event) => event.kind === 'message').slice(-3)).toMatchObject(
      expected.map((message) => ({ message })),
    );
    expect(await agent.ask('new question')).toBe('You said: new question');
    expect(agent.conversation.messages().map(({ id }) => id)).toEqual([0, 1, 2, 3, 4]);
  });

  test('AA-141: a missing file is silent', async () => {
    await using state = await stateFolder();
    await using agent = startTui([], state.options);
    await agent.stable();
    expect(agent.conversation.errors()).toEqual([]);
    expect(agent.lastText()).toBe('Welcome.');
  });

  test.each([
    ['', 'failed to unmarshal state (corrupted or invalid JSON): '],
    ['{"version":1,', 'failed to unmarshal state (corrupted or invalid JSON): '],
    [stateText({ messages: [{ id: 'x' }] }), 'failed to unmarshal state (corrupted or invalid JSON): '],
    [stateText({ version: 2 }), 'unsupported state file version 2 (expected 1)'],
    ['{}', 'unsupported state file version 0 (expected 1)'],
  ])('AA-141, AA-147: file %j is a warning, and is kept aside', async (text, reason) => {
    await using state = await stateFolder();
    await writeFile(state.path, text);
    const agent = startTui([], state.options);
    await agent.stable();
    expect(agent.conversation.errors()).toMatchObject([
      { level: 'warning', message: expect.stringContaining(`Failed to restore previous session: ${reason}`) },
    ]);
    expect(await agent.ask('hello')).toBe('You said: hello');
    await agent.conversation.close({ graceMs: 500 });
    const names = (await readdir(state.folder)).sort();
    expect(names).toEqual(['state.json', expect.stringMatching(/^state\.json\.unreadable-\d+$/)]);
    expect(await readFile(`${state.folder}/${names[1]}`, 'utf8')).toBe(text);
    expect(await state.read()).toMatchObject({ version: 1 });
  });

  test('AA-141: a file that cannot be opened is a warning', async () => {
    await using state = await stateFolder();
    await mkdir(state.path);
    await using agent = startTui([], state.options);
    await agent.stable();
    expect(agent.conversation.errors()).toMatchObject([
      { message: expect.stringContaining('Failed to restore previous session: failed to open state file: ') },
    ]);
  });

  test('AA-147: a stop before the agent was ready leaves the old file alone', async () => {
    await using state = await stateFolder();
    await writeFile(state.path, stateText());
    const agent = startTui(['--splash', '60000'], state.options);
    await agent.until(() => agent.lastText().includes('Welcome.'), 'the greeting');
    await agent.conversation.saveState();
    await agent.conversation.close({ graceMs: 500 });
    expect(await readFile(state.path, 'utf8')).toBe(stateText());
  });

  test('AA-144: a saved prompt that was not sent is sent', async () => {
    await using state = await stateFolder();
    await writeFile(state.path, stateText({ initial_prompt: 'left over', initial_prompt_sent: false }));
    await using agent = startTui([], state.options);
    await agent.stable();
    expect(agent.conversation.messages()).toHaveLength(5);
    expect(agent.lastText()).toBe('You said: left over');
    await agent.conversation.saveState();
    expect(await state.read()).toMatchObject({ initial_prompt: 'left over', initial_prompt_sent: true });
  });

  test('AA-146: a history that ends with a user message gets a new agent message from the screen', async () => {
    await using state = await stateFolder();
    await writeFile(state.path, stateText({ messages: HISTORY.slice(0, 2) }));
    await using agent = startTui([], state.options);
    await agent.stable();
    expect(agent.conversation.messages()).toHaveLength(3);
    expect(agent.lastText()).toBe('Welcome.');
  });

  test('AA-141: with loading switched off an old file is not read', async () => {
    await using state = await stateFolder();
    await writeFile(state.path, stateText());
    await chmod(state.path, 0o600);
    await using agent = startTui([], { ...state.options, loadState: false });
    await agent.stable();
    expect(agent.conversation.messages()).toHaveLength(1);
  });
});
