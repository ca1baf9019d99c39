import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { viewOfKey } from '../auth/api-key-view.ts';
import { AuditLog } from '../auth/audit-log.ts';
import type { AuditNote } from '../auth/audit-log.ts';
import { DEFAULT_OVERLAP_MS, IssuedKeys } from '../auth/issued-keys.ts';
import type { IssuedKey } from '../auth/issued-keys.ts';
import { ALL_PERMISSIONS, ROLES } from '../auth/permissions.ts';
import type { Principal } from '../auth/principal.ts';
import type { Config } from '../config/schema.ts';
import { AppError } from '../errors.ts';
import { createLogger } from '../log.ts';
import { openStore } from '../open-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Store } from '../store/store.ts';
import { EXIT } from './cli-context.ts';
import type { CliContext } from './cli-context.ts';
import { parseDuration } from './duration.ts';
import { withStoreConfig } from './store-config.ts';
import { tableOf } from './table.ts';

/** Options of every `keys` command. */
export interface KeysFlags {
  readonly config?: string;
  readonly json?: boolean;
}

export interface CreateKeyFlags extends KeysFlags {
  readonly user: string;
  readonly role: string;
  readonly name: string;
  /** Comma list. */
  readonly permissions?: string;
  /** A duration such as `90d`, an RFC 3339 time, or `never`. */
  readonly expires: string;
  readonly prefix: string;
}

export interface RotateFlags extends KeysFlags {
  /** A duration. */
  readonly overlap?: string;
}

/** Whoever may run commands on the data folder may do everything. */
const OPERATOR: Principal = {
  userId: '(command line)',
  role: 'admin',
  permissions: new Set([ALL_PERMISSIONS]),
};

/** An option has a value that cannot be right. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a command works with. */
interface Workplace {
  readonly store: Store;
  readonly keys: IssuedKeys;
  readonly record: (note: Pick<AuditNote, 'action' | 'targetKind' | 'targetId' | 'details'>) => Promise<void>;
  /** Answers with JSON when that is wanted, else with lines. */
  readonly answer: (value: unknown, lines: readonly string[]) => void;
}

/** `keys create`: makes a key and shows it this once. Answers the exit code, like the others. */
export async function createKey(flags: CreateKeyFlags, context: CliContext): Promise<number> {
  return withStore(flags, context, async ({ keys, record, answer }) => {
    const role = ROLES.find((known) => known === flags.role);
    if (role === undefined) throw new UsageError(`--role must be ${ROLES.join(', ')}; got ${flags.role}`);
    if (!/^[A-Za-z0-9-]{1,20}$/.test(flags.prefix)) {
      throw new UsageError('--prefix must be up to 20 letters, digits and hyphens');
    }
    const issued = await keys.create(OPERATOR, {
      name: flags.name,
      userId: flags.user,
      role,
      expiresAt: expiryOf(flags.expires),
      prefix: flags.prefix,
      ...(flags.permissions === undefined ? {} : { permissions: listOf(flags.permissions) }),
    });
    await recordIssued(record, 'key.create', issued, {});
    answer({ ...viewOfKey(issued.record), key: issued.key }, linesOf(issued));
  });
}

/** `keys list` */
export async function listKeys(
  flags: KeysFlags & { readonly user?: string },
  context: CliContext,
): Promise<number> {
  return withStore(flags, context, async ({ keys, answer }) => {
    const views = (await keys.list(OPERATOR, flags.user)).map(viewOfKey);
    const now = new Date().toISOString();
    const rows = views.map((view) => [
      view.id,
      view.user_id,
      view.role,
      view.revoked_at !== null ? 'revoked' : (view.expires_at ?? '9999') <= now ? 'expired' : 'valid',
      view.expires_at ?? 'never',
      view.last_used_at ?? 'never',
      view.name,
    ]);
    const titles = ['ID', 'USER', 'ROLE', 'STATE', 'EXPIRES', 'LAST USED', 'NAME'];
    answer({ api_keys: views }, rows.length === 0 ? ['no keys in the store'] : tableOf([titles, ...rows]));
  });
}

/** `keys revoke ID` */
export async function revokeKey(id: string, flags: KeysFlags, context: CliContext): Promise<number> {
  return withStore(flags, context, async ({ keys, record, answer }) => {
    const { userId } = await keys.revoke(OPERATOR, id);
    await record({ action: 'key.revoke', targetKind: 'key', targetId: id, details: { holder: userId } });
    answer({ id, status: 'revoked' }, [`revoked the key ${id} of ${userId}`]);
  });
}

/** `keys rotate ID`: makes a key that takes the place of another one. */
export async function rotateKey(id: string, flags: RotateFlags, context: CliContext): Promise<number> {
  return withStore(flags, context, async ({ keys, record, answer }) => {
    const overlapMs = flags.overlap === undefined ? DEFAULT_OVERLAP_MS : parseDuration(flags.overlap);
    if (overlapMs === null) throw new UsageError('--overlap must be a time such as 24h, 7d or 0s');
    const issued = await keys.rotate(OPERATOR, id, overlapMs);
    await recordIssued(record, 'key.rotate', issued, { replaces: id, overlapSeconds: overlapMs / 1000 });
    answer({ ...viewOfKey(issued.record), key: issued.key }, linesOf(issued));
  });
}

/**
 * `keys rotate` without an id: makes a new encryption key and seals everything with it, while the server may run. What
 * an interrupted rotation has left, or a key that the operator has added, is seen to first.
 */
export async function rotateEncryption(flags: KeysFlags, context: CliContext): Promise<number> {
  return withStore(flags, context, async ({ store, record, answer }) => {
    const report = (await store.needsReseal()) ? await store.reseal() : await store.rotateKeys();
    const { resealed, unreadable, retired } = report;
    const details = { resealed, unreadable: unreadable.length, retired: retired.join(' ') };
    await record({ action: 'encryption.rotate', targetKind: 'store', targetId: null, details });
    answer(report, [
      `sealed again with the newest key: ${resealed}`,
      ...retired.map((id) => `no longer needed, except for backups made before: key ${id}`),
      ...unreadable.map((what) => `no key opens ${what}; the older keys stay needed`),
    ]);
  });
}

async function withStore(
  flags: KeysFlags,
  context: CliContext,
  work: (workplace: Workplace) => Promise<void>,
): Promise<number> {
  const withoutStore = 'persistence is off, so there is no store that could keep keys; use auth.keys_file';
  const codeOf = (error: Error): number | null => {
    if (error instanceof UsageError) return EXIT.badConfiguration;
    return error instanceof AppError || error instanceof StoreError ? EXIT.failed : null;
  };
  return withStoreConfig(context, { file: flags.config, withoutStore, codeOf }, async (config) =>
    workOn(config, context, flags.json === true, work),
  );
}

async function workOn(
  config: Config,
  context: CliContext,
  asJson: boolean,
  work: (workplace: Workplace) => Promise<void>,
): Promise<void> {
  const log = await createLogger({ ...config, verbose: false, log_level: 'warn' }, context.stderr);
  // The first key may be made before the server has ever run.
  await mkdir(config.data_dir, { recursive: true, mode: 0o700 });
  const store = await openStore(config, log);
  try {
    const keys = new IssuedKeys(store, config.limits.api_keys_per_user, log);
    const audit = new AuditLog(store.audit, log);
    try {
      await work({
        store,
        keys,
        record: async ({ action, targetKind, targetId, details }) => {
          await audit.record({
            actor: null,
            actorKeyId: null,
            action,
            outcome: 'allowed',
            targetKind,
            targetId,
            remoteAddress: null,
            requestId: null,
            details: { ...details, via: 'command line' },
          });
        },
        answer: (value, lines) => {
          const text = asJson ? JSON.stringify(value, null, 2) : lines.join('\n');
          context.stdout.write(`${text}\n`);
        },
      });
    } finally {
      await audit[Symbol.asyncDispose]();
      await keys[Symbol.asyncDispose]();
    }
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

async function recordIssued(
  record: Workplace['record'],
  action: string,
  { record: key }: IssuedKey,
  more: Readonly<Record<string, string | number>>,
): Promise<void> {
  const { userId: holder, role, permissions, expiresAt } = key;
  const details = {
    holder,
    role,
    permissions: permissions.join(' '),
    expiresAt: expiresAt?.toISOString() ?? null,
    ...more,
  };
  await record({ action, targetKind: 'key', targetId: key.id, details });
}

function linesOf({ record, key }: IssuedKey): readonly string[] {
  return [
    `API Key: ${key}`,
    `ID: ${record.id}`,
    `User ID: ${record.userId}`,
    `Role: ${record.role}`,
    `Permissions: ${record.permissions.join(', ')}`,
    `Expires at: ${record.expiresAt?.toISOString() ?? 'never'}`,
    'The key is not stored and cannot be shown again.',
  ];
}

function expiryOf(text: string): Date | null {
  if (text === 'never') return null;
  const durationMs = parseDuration(text);
  if (durationMs !== null && durationMs > 0) return new Date(Date.now() + durationMs);
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return new Date(text);
  throw new UsageError(`--expires must be a time such as 90d, 2027-01-01T00:00:00Z, or never; got ${text}`);
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
