import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createAcpConversation, type AcpConversationOptions } from '../../src/acp/acp-conversation.ts';
import type { AcpConversation, AcpEvent } from '../../src/acp/acp-model.ts';
import type { ConversationEvent } from '../../src/conversation/conversation-model.ts';

const AGENT = fileURLToPath(new URL('acp-agent.mjs', import.meta.url));
const WAIT_MS = 15_000;

/** What the scripted agent does; see acp-agent.mjs. */
export interface AgentScript {
  readonly start?: Readonly<Record<string, unknown>>;
  readonly steps: readonly Readonly<Record<string, unknown>>[];
}

/** One line of what the scripted agent received. */
export type Recorded = Readonly<Record<string, unknown>>;

export interface AcpRun extends AsyncDisposable {
  readonly conversation: AcpConversation;
  /** The run's own temporary folder. */
  readonly folder: string;
  readonly events: readonly ConversationEvent[];
  readonly acpEvents: readonly AcpEvent[];
  recorded(): readonly Recorded[];
  /** Lets an agent that waits for the file `name` go on. */
  release(name: string): void;
}

/** Starts a conversation with the scripted agent; `script` may use the folder of the run. */
export function runAcp(
  script: AgentScript | ((folder: string) => AgentScript),
  overrides: Partial<AcpConversationOptions> = {},
): AcpRun {
  const folder = mkdtempSync(join(tmpdir(), 'acp-test-'));
  const { start = {}, steps } = typeof script === 'function' ? script(folder) : script;
  const scriptPath = join(folder, 'script.json');
  const recordPath = join(folder, 'record.jsonl');
  writeFileSync(scriptPath, JSON.stringify({ start: { recordTo: recordPath, ...start }, steps }));
  const conversation = createAcpConversation({
    command: process.execPath,
    args: [AGENT, scriptPath],
    cwd: folder,
    env: process.env,
    agentType: 'custom',
    stderr: discard(),
    ...overrides,
  });
  const events: ConversationEvent[] = [];
  const acpEvents: AcpEvent[] = [];
  conversation.subscribe((event) => events.push(event));
  conversation.subscribeAcp((event) => acpEvents.push(event));
  return {
    conversation,
    folder,
    events,
    acpEvents,
    recorded: () => readLines(recordPath),
    release: (name) => writeFileSync(join(folder, name), ''),
    async [Symbol.asyncDispose]() {
      await conversation[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Polls until `condition` holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Whether a process runs; an unreaped zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

function readLines(path: string): readonly Recorded[] {
  const text = readFileSync(path, 'utf8').trim();
  return text === '' ? [] : text.split('\n').map((line): Recorded => JSON.parse(line));
}

function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
