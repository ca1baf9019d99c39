import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { UsageError } from './exit-codes.ts';

/** A server, and how it is talked to, under a name. */
export interface ServerContext {
  readonly endpoint: string;
  readonly session_id?: string | undefined;
  /** Only when the user asked to keep it here. */
  readonly api_key?: string | undefined;
  /** Absolute path of a file that holds the key. */
  readonly api_key_file?: string | undefined;
}

/** The client's configuration file. */
export interface ContextFile {
  /** The context that is taken when none is named. */
  readonly current: string | null;
  readonly contexts: Readonly<Record<string, ServerContext>>;
}

/** Letters, digits and `_ . -`: a name needs no quoting in any shell. */
const CONTEXT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

const contextSchema = z.strictObject({
  endpoint: z.string().min(1),
  session_id: z.string().min(1).optional(),
  api_key: z.string().min(1).optional(),
  api_key_file: z.string().min(1).optional(),
});

const fileSchema: z.ZodType<ContextFile> = z.strictObject({
  current: z.string().nullable().default(null),
  contexts: z.record(z.string().regex(CONTEXT_NAME), contextSchema).default({}),
});

const EMPTY: ContextFile = { current: null, contexts: {} };

/** @throws UsageError when the text is no name of a context */
export function checkContextName(name: string): string {
  if (CONTEXT_NAME.test(name)) return name;
  throw new UsageError(
    `${JSON.stringify(name)} is no name for a context; use up to 64 letters, digits, _ . and -`,
  );
}

/** Where the file is: below `XDG_CONFIG_HOME`, else below `~/.config`. */
export function contextFilePath(environment: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CONFIG_HOME: configured = '', HOME: home = '' } = environment;
  // The XDG specification: relative paths are to be ignored.
  const base = isAbsolute(configured) ? configured : join(home === '' ? homedir() : home, '.config');
  return join(base, 'agentapi-proxy', 'client.json');
}

/**
 * Reads the file; one that is not there is empty.
 *
 * @throws UsageError naming the file and what is wrong with it, never what it holds
 */
export async function readContexts(path: string): Promise<ContextFile> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw new UsageError(`${path} cannot be read: ${reasonOf(error)}`);
  });
  if (file === null) return EMPTY;
  try {
    const { mode } = await file.stat();
    const contexts = parseContexts(path, await file.readFile('utf8'));
    const holdsKeys = Object.values(contexts.contexts).some(({ api_key: key }) => key !== undefined);
    if (holdsKeys && (mode & 0o077) !== 0) {
      throw new UsageError(`${path} holds keys and is open to other users; run: chmod 600 ${path}`);
    }
    return contexts;
  } finally {
    await file.close();
  }
}

/** Replaces the file, as a whole and readable by its owner only; a link to it stays one. */
export async function writeContexts(path: string, contexts: ContextFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = await realpath(path).catch(() => path);
  const draft = `${target}.${randomUUID()}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(contexts, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw new UsageError(`${path} cannot be written: ${reasonOf(error)}`);
  }
}

/**
 * Reads a file that holds an API key and nothing else.
 *
 * @throws UsageError when it cannot be read or is empty
 */
export async function readKeyFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`the key file ${path} cannot be read: ${reasonOf(error)}`);
  });
  if (text.trim() === '') throw new UsageError(`the key file ${path} is empty`);
  return text.trim();
}

function parseContexts(path: string, text: string): ContextFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a key.
    throw new UsageError(`${path} is not valid JSON; correct it, or remove it and set the contexts again`);
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.join('.');
  const isUnknown = issue?.code === 'unrecognized_keys';
  const what = isUnknown ? `unknown member ${issue.keys.join(', ')}` : (issue?.message ?? 'invalid');
  throw new UsageError(`${path}: ${place}: ${what}`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
