import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartError, type ServerOptions } from './cli-options.ts';
import { SESSION_MARKER } from './process-table.ts';
import { reasonOf, type ProcessContext, type Supervision } from './run-server.ts';
import { AgentServer } from './server.ts';

/** A pipe that stays open and silent for this long holds no prompt (AA-010). */
const STDIN_SILENCE_MS = 2_000;
/** The limit of every other user message. */
const PROMPT_LIMIT_BYTES = 1_048_576;
/** Shorter ones can be guessed. */
const TOKEN_MIN_CHARACTERS = 16;

/** What the agent has left behind is killed after this time, as the agent is (agentapi section 1.5). */
const LEFTOVERS_GRACE_MS = 5_000;

/**
 * A server that nobody supervises: its address and its token come from the command line. It marks its agent, unless it is marked
 * itself: within a session everything is that session's, which ends it.
 */
export function standAlone(
  settings: ServerOptions,
  { environment }: Pick<ProcessContext, 'environment'>,
): Supervision {
  const marker = environment[SESSION_MARKER] === undefined ? `standalone.${randomUUID()}` : null;
  return {
    stopSignal: 'SIGINT',
    report: () => {},
    agentEnvironment: marker === null ? {} : { [SESSION_MARKER]: marker },
    endLeftovers: async (log) => {
      if (marker === null) return;
      try {
        const { endProcesses } = await import('./process-tree.ts');
        const find = { marker: { value: marker, match: 'equal' } } as const;
        const { left } = await endProcesses({ find, graceMs: LEFTOVERS_GRACE_MS });
        if (left.length > 0) log.warn('Processes of the agent could not be ended', { count: left.length });
      } catch (error) {
        log.warn('Processes of the agent could not be looked for', { reason: reasonOf(error) });
      }
    },
    listen: async (options) => {
      const token = settings.tokenFile === undefined ? undefined : await readToken(settings.tokenFile);
      try {
        return await AgentServer.listen(settings.host, settings.port, { ...options, token });
      } catch (error) {
        throw new StartError(`failed to start server: ${reasonOf(error)}`, { cause: error });
      }
    },
  };
}

/**
 * What was piped into the process; empty when nothing was (AA-009). Reads to the end, but gives up
 * waiting after 2 s without a byte. The stream cannot be used afterwards.
 * @throws {StartError} when it is larger than a message may be.
 */
export async function readPipedPrompt(stdin: NodeJS.ReadStream): Promise<string> {
  if (stdin.isTTY) return '';
  const chunks: Buffer[] = [];
  let size = 0;
  const silence = setTimeout(() => stdin.destroy(), STDIN_SILENCE_MS);
  try {
    for await (const chunk of stdin) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > PROMPT_LIMIT_BYTES) {
        throw new StartError(`the initial prompt on stdin is larger than ${PROMPT_LIMIT_BYTES} bytes`);
      }
      chunks.push(bytes);
      silence.refresh();
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    // Destroyed by the timer, or unreadable: what has come counts.
  } finally {
    clearTimeout(silence);
    stdin.destroy();
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readToken(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new StartError(`failed to read the token file: ${reasonOf(error)}`, { cause: error });
  }
  const token = text.trim();
  if (token.length < TOKEN_MIN_CHARACTERS) {
    throw new StartError(`the token in ${path} must have at least ${TOKEN_MIN_CHARACTERS} characters`);
  }
  return token;
}
