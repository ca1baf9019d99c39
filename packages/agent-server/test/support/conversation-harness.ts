import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPtyConversation } from '../../src/conversation/conversation.ts';
import type { ConversationEvent } from '../../src/conversation/conversation-model.ts';
import type { PtyConversation, PtyConversationOptions } from '../../src/conversation/pty-conversation.ts';
import type { ConversationTiming } from '../../src/conversation/timing.ts';

/** Short enough for tests, long enough that a busy machine does not look like a still screen. */
export const TEST_TIMING: Partial<ConversationTiming> = {
  stabilityMs: 400,
  echoSettleMs: 100,
  reactionTimeoutMs: 10_000,
  enterRepeatMs: 10_000,
  pauseMs: 3_000,
  busyPauseMs: 6_000,
  saveDelayMs: 100,
};

/** For agents that ignore Enter: with others a busy machine would look like one that does. */
export const IMPATIENT: Partial<ConversationTiming> = { reactionTimeoutMs: 3_000, enterRepeatMs: 1_000 };

/** Nothing in these tests takes longer, even on a busy machine. */
const PATIENCE_MS = 20_000;

/** The path of a program in this folder. */
export function supportFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** The path of a recorded script for the scripted agent. */
export function scriptFile(name: string): string {
  return fileURLToPath(new URL(`../fixtures/agentapi/e2e/testdata/${name}.json`, import.meta.url));
}

/** A folder that is removed at the end of the block. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'agent-server-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A text of screen rows without the blanks that fill them. */
export function unpadded(text: string): string {
  return text.replaceAll(/ +$/gm, '');
}

/** A conversation together with everything it has reported. */
export interface Recorded extends AsyncDisposable {
  readonly conversation: PtyConversation;
  readonly events: ConversationEvent[];
  /** Resolves as soon as `condition` holds; rejects with what is there instead after 20 s. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Waits for the status `stable`. */
  stable(): Promise<void>;
  /** Sends a user message and waits for the end of the turn. @returns the agent's answer, see `lastText`. */
  ask(message: string): Promise<string>;
  /** The text of the last message, without the blanks that fill its rows. */
  lastText(): string;
}

/** Starts `node` with the given arguments as an agent; short timings unless said otherwise. */
export function startAgent(args: readonly string[], options: Partial<PtyConversationOptions> = {}): Recorded {
  const conversation = createPtyConversation({
    command: process.execPath,
    args,
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), LANG: 'C.UTF-8' },
    agentType: 'custom',
    rows: 60,
    loadState: false,
    saveState: false,
    ...options,
    timing: { ...TEST_TIMING, ...options.timing },
  });
  const events: ConversationEvent[] = [];
  conversation.subscribe((event) => events.push(event));
  const until = (condition: () => boolean, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(limit);
        clearInterval(poll);
        unsubscribe();
      };
      const check = (): void => {
        if (!condition()) return;
        finish();
        resolve();
      };
      const limit = setTimeout(() => {
        finish();
        const screen = conversation.lastScreenLines(20).join('\n');
        reject(new Error(`${what} never came; status ${conversation.status()}, screen:\n${screen}`));
      }, PATIENCE_MS);
      const unsubscribe = conversation.subscribe(check);
      const poll = setInterval(check, 20);
      check();
    });
  const stable = (): Promise<void> => until(() => conversation.status() === 'stable', 'status stable');
  const lastText = (): string => unpadded(conversation.messages().at(-1)?.content ?? '');
  return {
    conversation,
    events,
    until,
    stable,
    lastText,
    ask: async (message) => {
      await conversation.send('user', message);
      await stable();
      return lastText();
    },
    [Symbol.asyncDispose]: () => conversation.close({ graceMs: 500 }),
  };
}

/** Starts the agent with a full-screen interface. */
export function startTui(
  flags: readonly string[] = [],
  options: Partial<PtyConversationOptions> = {},
): Recorded {
  return startAgent([supportFile('tui-agent.mjs'), ...flags], options);
}

/** Starts the agent that follows a script. */
export function startScript(name: string, options: Partial<PtyConversationOptions> = {}): Recorded {
  return startAgent([supportFile('scripted-agent.mjs'), scriptFile(name)], options);
}
