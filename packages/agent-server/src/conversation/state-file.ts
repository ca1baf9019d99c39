import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Message } from './conversation-model.ts';

/** What survives a restart of the agent server (agentapi section 6). */
export interface SavedState {
  readonly messages: readonly Message[];
  /** Visible text of the initial prompt, empty without one. */
  readonly initialPrompt: string;
  readonly initialPromptSent: boolean;
}

/** Of the file's format (AA-137). */
export const STATE_VERSION = 1;

/** The state file exists but is of no use; `message` is the text shown to clients (AA-141). */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
}

/**
 * Reads a saved conversation.
 * @returns `null` when there is no such file.
 * @throws {StateFileError} when the file cannot be read or understood.
 */
export async function readStateFile(path: string): Promise<SavedState | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw new StateFileError(`failed to open state file: ${reason(cause)}`, { cause });
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw corrupted(text === '' ? 'unexpected end of JSON input' : reason(cause), cause);
  }
  // Loaded only where there is something to read: the schema library takes 7 MB and 70 ms (measured).
  const { parseState } = await import('./state-schema.ts');
  return parseState(data);
}

/**
 * Writes a conversation so that the file holds either the old or the new state, whatever happens
 * (AA-138): mode 0600, missing parent folders 0700.
 */
export async function writeStateFile(path: string, state: SavedState): Promise<void> {
  const text = JSON.stringify({
    version: STATE_VERSION,
    messages: state.messages.map(({ id, content, role, time }) => ({ id, message: content, role, time })),
    initial_prompt: state.initialPrompt,
    initial_prompt_sent: state.initialPromptSent,
  });
  const temporary = `${path}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A left-over of a crash, or a link somebody put there: `wx` follows neither.
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Moves a file that could not be read out of the way, so that saving does not destroy it (AA-147). */
export async function setStateFileAside(path: string): Promise<void> {
  try {
    await rename(path, `${path}.unreadable-${Date.now()}`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** The failure of a file that is not what it should be. */
export function corrupted(detail: string, cause: unknown): StateFileError {
  return new StateFileError(`failed to unmarshal state (corrupted or invalid JSON): ${detail}`, { cause });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
