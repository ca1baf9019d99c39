import { describe, expect, test } from 'vitest';
import { startAgent } from './support/conversation-harness.ts';

/** Paints a picture, and then writes `rest` over and over. */
function painter(rest: string): readonly string[] {
  const script = `process.stdout.write('\\x1b[2J\\x1b[HHello everybody\\r\\n> '); setInterval(() => process.stdout.write(${rest}), 30)`;
  return ['-e', script];
}

const QUICKLY = { timing: { frozenAfterMs: 300 } };

describe.concurrent('AA-171: text that is printed while the screen stands still', () => {
  test('is reported, once', async () => {
    // What it prints is gone again before anybody can see it, as if the emulator had lost it.
    await using agent = startAgent(painter(`'\\x1b[5;1Hdisappearing\\x1b[2K\\x1b[2;3H'`), QUICKLY);
    await agent.until(() => agent.conversation.errors().length > 0, 'the warning');
    let seen = 0;
    const warning = { level: 'warning', message: expect.stringContaining('no longer changes') };
    // A while later the warning is still the only one.
    await agent.until(() => (seen += 1) > 40, 'further looks');
    expect(agent.conversation.errors()).toMatchObject([warning]);
  });

  test('is no trouble when it is the same picture again, or only moves the cursor', async () => {
    for (const rest of [`'\\x1b[HHello everybody\\r\\n> '`, `'\\x1b[10;1H\\x1b[2;3H'`]) {
      await using agent = startAgent(painter(rest), QUICKLY);
      await agent.stable();
      let seen = 0;
      await agent.until(() => (seen += 1) > 40, 'further looks');
      expect(agent.conversation.errors()).toEqual([]);
    }
  });
});
