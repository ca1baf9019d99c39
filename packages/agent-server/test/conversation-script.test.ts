import { describe, expect, test } from 'vitest';
import { startScript, temporaryFolder, unpadded } from './support/conversation-harness.ts';

describe.concurrent('the scripts of the reference', () => {
  test('AA-159, AA-041: basic has three messages that equal the script', async () => {
    await using agent = startScript('basic');
    await agent.stable();
    await agent.ask('  This is a test message.\n');
    expect(
      agent.conversation.messages().map(({ id, role, content }) => [id, role, unpadded(content)]),
    ).toEqual([
      [0, 'agent', "Hello! I'm ready to help you. Please send me a message to echo back."],
      [1, 'user', 'This is a test message.'],
      [2, 'agent', 'Echo: This is a test message.'],
    ]);
  });

  test('AA-160: thinking is running right after the message, and the reply has two lines', async () => {
    await using agent = startScript('thinking');
    await agent.stable();
    await agent.conversation.send('user', 'What is the answer to life, the universe, and everything?');
    expect(agent.conversation.status()).toBe('running');
    await agent.stable();
    expect(agent.lastText()).toBe("Gosh, I'll need some time to think about that...\n42");
    expect(agent.conversation.messages()).toHaveLength(3);
  });

  test('AA-161: an initial prompt is message 1, and its reply is message 2', async () => {
    await using agent = startScript('basic', { initialPrompt: 'This is a test message.' });
    await agent.stable();
    expect(
      agent.conversation
        .messages()
        .map(({ role, content }) => [role, unpadded(content)])
        .slice(1),
    ).toEqual([
      ['user', 'This is a test message.'],
      ['agent', 'Echo: This is a test message.'],
    ]);
  });

  test('AA-162: a restart brings the same three messages back', async () => {
    await using folder = await temporaryFolder();
    const state = { stateFile: `${folder.path}/deep/er/state.json`, loadState: true, saveState: true };
    const before = startScript('state_persistence', state);
    await before.stable();
    await before.ask('First message before state save.');
    const saved = before.conversation.messages();
    await before.conversation.close({ graceMs: 500 });

    await using after = startScript('state_persistence', state);
    await after.stable();
    expect(saved).toHaveLength(3);
    expect(after.conversation.messages()).toEqual(saved);
  });

  test('AA-163, AA-142: a prompt is not sent again after a restart, with or without it', async () => {
    await using folder = await temporaryFolder();
    const state = { stateFile: `${folder.path}/state.json`, loadState: true, saveState: true };
    const prompt = { ...state, initialPrompt: 'First message before state save.' };
    const first = startScript('state_persistence', prompt);
    await first.stable();
    const saved = first.conversation.messages();
    await first.conversation.close({ graceMs: 500 });
    expect(saved).toHaveLength(3);

    for (const options of [prompt, state, prompt]) {
      const again = startScript('state_persistence', options);
      await again.stable();
      expect(again.conversation.messages()).toEqual(saved);
      await again.conversation.close({ graceMs: 500 });
    }
  });

  test('AA-164, AA-143: a different prompt is sent after a restart and makes five messages', async () => {
    await using folder = await temporaryFolder();
    const state = { stateFile: `${folder.path}/state.json`, loadState: true, saveState: true };
    const first = startScript('basic', { ...state, initialPrompt: 'This is a test message.' });
    await first.stable();
    await first.conversation.close({ graceMs: 500 });

    await using again = startScript('state_persistence', {
      ...state,
      initialPrompt: 'First message before state save.',
    });
    await again.stable();
    expect(
      again.conversation.messages().map(({ id, role, content }) => [id, role, unpadded(content)]),
    ).toEqual([
      [0, 'agent', "Hello! I'm ready to help you. Please send me a message to echo back."],
      [1, 'user', 'This is a test message.'],
      [2, 'agent', 'Echo: This is a test message.'],
      [3, 'user', 'First message before state save.'],
      [4, 'agent', 'Echo: First message before state save.'],
    ]);
  });
});
