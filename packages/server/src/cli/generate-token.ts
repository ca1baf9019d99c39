import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { keyStart } from '../auth/issued-keys.ts';
import { ALL_PERMISSIONS, isPermission, ROLE_PERMISSIONS, ROLES } from '../auth/permissions.ts';
import { ConfigError } from '../config/config-error.ts';
import { parseJson } from '../config/json-file.ts';
import { EXIT } from './cli-context.ts';
import type { CliContext } from './cli-context.ts';

/** Options of `helpers generate-token`. */
export interface GenerateTokenFlags {
  readonly outputPath: string;
  readonly userId: string;
  readonly role: string;
  /** Each of them a comma list. */
  readonly permissions?: readonly string[];
  readonly expiryDays: string;
  readonly keyPrefix: string;
}

/** The random part of a key: 128 bits, as the reference makes it. */
const SECRET_BYTES = 16;
const DAY_MS = 86_400_000;
/** A hundred years: more is a typing mistake, and dates end somewhere. */
const MAX_DAYS = 36_500;
/** Others hold the lock for milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;

/** As much of it as must be right for a key to be added. */
const keysFile = z.looseObject({ api_keys: z.array(z.unknown()) });

/** An option or the file cannot be right; `message` never quotes a key. */
class TokenError extends Error {
  override readonly name = 'TokenError';
}

/**
 * `helpers generate-token`: appends a key to a keys file (proxy-api section 1.3). The file is replaced as a whole and
 * ends with mode 0600; what else it holds stays as it is; of several runs at the same time none loses a key (PX-025).
 * @returns the exit code; the file is untouched unless it is 0.
 */
export function generateToken(flags: GenerateTokenFlags, context: CliContext): number {
  try {
    const entry = entryOf(flags, new Date());
    const path = resolve(context.workingDirectory, flags.outputPath);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const target = existsSync(path) ? realpathSync(path) : path;
    whileLocked(target, () => append(target, entry));
    const lines = [
      `API key added to ${path}`,
      `API Key: ${entry.key}`,
      `User ID: ${entry.user_id}`,
      `Role: ${entry.role}`,
      `Permissions: ${entry.permissions.join(', ')}`,
      `Expires at: ${entry.expires_at}`,
    ];
    context.stdout.write(`${lines.join('\n')}\n`);
    const unknown = entry.permissions.filter((name) => name !== ALL_PERMISSIONS && !isPermission(name));
    if (unknown.length > 0) {
      context.stderr.write(`agentapi-proxy: note: no route asks for the permission ${unknown.join(', ')}\n`);
    }
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isExpected = error instanceof TokenError || error instanceof ConfigError || 'code' in error;
    if (!isExpected) throw error;
    context.stderr.write(`agentapi-proxy: ${error.message}\n`);
    return EXIT.failed;
  }
}

interface NewEntry {
  readonly key: string;
  readonly user_id: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly created_at: string;
  readonly expires_at: string;
}

/** @throws TokenError */
function entryOf(flags: GenerateTokenFlags, now: Date): NewEntry {
  const role = ROLES.find((known) => known === flags.role);
  if (role === undefined) throw new TokenError(`invalid role: ${flags.role} (use ${ROLES.join(', ')})`);
  const days = Number(flags.expiryDays);
  if (!/^\d{1,6}$/.test(flags.expiryDays) || days < 1 || days > MAX_DAYS) {
    throw new TokenError(
      `--expiry-days must be a whole number from 1 to ${MAX_DAYS}; got ${flags.expiryDays}`,
    );
  }
  if (!/^[A-Za-z0-9-]{1,20}$/.test(flags.keyPrefix)) {
    throw new TokenError('--key-prefix must be up to 20 letters, digits and hyphens');
  }
  if (!/^[^\p{Cc}]{1,128}$/u.test(flags.userId) || flags.userId.trim() === '') {
    throw new TokenError('--user-id must be 1 to 128 characters without control characters');
  }
  const permissions = flags.permissions?.flatMap(namesIn) ?? ROLE_PERMISSIONS[role];
  if (permissions.length === 0) throw new TokenError('--permissions must name at least one permission');
  return {
    key: keyStart(flags.keyPrefix, flags.userId) + randomBytes(SECRET_BYTES).toString('hex'),
    user_id: flags.userId,
    role,
    permissions,
    created_at: now.toISOString(),
    expires_at: new Date(now.getTime() + days * DAY_MS).toISOString(),
  };
}

function namesIn(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Members that this version does not know stay where they are. @throws ConfigError, TokenError */
function append(path: string, entry: NewEntry): void {
  const before = existsSync(path) ? readKeys(path) : { api_keys: [] };
  const content = { ...before, api_keys: [...before.api_keys, entry] };
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    chmodSync(draft, 0o600);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Runs `work` while no other run of this command changes the file. The lock is the operating system's, by way of
 * SQLite, so nothing stays locked after a crash.
 * @throws TokenError when others hold the lock for too long.
 */
function whileLocked(path: string, work: () => void): void {
  const lockPath = join(dirname(path), `.${basename(path)}.lock`);
  closeSync(openSync(lockPath, 'a', 0o600));
  const lock = new Sqlite(lockPath, { timeout: LOCK_TIMEOUT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    work();
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) {
      throw new TokenError(`${path} cannot be locked (${lockPath}): ${error.message}`, { cause: error });
    }
    throw error;
  } finally {
    lock.close();
  }
}

function readKeys(path: string): z.infer<typeof keysFile> {
  const parsed = keysFile.safeParse(parseJson(readFileSync(path, 'utf8'), path).value);
  if (parsed.success) return parsed.data;
  throw new TokenError(`${path} is no keys file: expected {"api_keys": […]}`);
}
