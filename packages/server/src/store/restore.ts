import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { z } from 'zod';
import { DUMP_FORMAT, DUMP_VERSION } from './backup.ts';
import { latestMigration, migrate } from './migrate.ts';
import { permitAuditChanges, refuseAuditChanges } from './migrations/audit-guard.ts';
import { sqliteEngine } from './sqlite.ts';
import type { Engine } from './store.ts';
import { StoreError } from './store-error.ts';
import { DUMPED_TABLES, insertRows, readTable } from './table-dump.ts';
import type { RawRow, TableName } from './table-dump.ts';
import type { Database } from './tables.ts';

/** First bytes of every SQLite file. */
const SQLITE_MAGIC = 'SQLite format 3\0';

/** Rows collected before they are inserted. */
const BATCH_ROWS = 500;

/** Tables whose rows somebody would miss. */
const CONTENT_TABLES = ['sessions', 'profiles', 'api_keys', 'audit_log'] as const;

const headerLine = z.object({
  format: z.literal(DUMP_FORMAT),
  version: z.literal(DUMP_VERSION),
  migration: z.string(),
});
const rowLine = z.object({
  table: z.enum(DUMPED_TABLES.map((table) => table.name)),
  row: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});
const endLine = z.object({ end: z.string() });

export interface RestoreReport {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Ids of the encryption keys that the restored secrets need. */
  readonly keyIds: readonly string[];
}

interface Chunk {
  readonly table: TableName;
  readonly rows: readonly RawRow[];
}

/**
 * Replaces the content of a store by that of a backup of either kind, all or nothing. No server may use the store
 * meanwhile. The secrets stay sealed with the keys of the backup.
 * @param engine - from `sqliteEngine` or `postgresEngine`; it is closed at the end.
 * @param options.force - also when the store holds something, which is lost then.
 * @throws StoreError when the store is not empty, or the backup is damaged or of another version.
 */
export async function restoreBackup(
  engine: Engine,
  path: string,
  options: { readonly force: boolean },
): Promise<RestoreReport> {
  const { db, dialect, location } = engine;
  try {
    await migrate(db, dialect, location);
    return await db.transaction().execute(async (transaction) => {
      if (!options.force) await refuseContent(transaction, location);
      await empty(transaction, engine);
      const rows: Record<string, number> = {};
      const chunks = (await isSqliteFile(path))
        ? chunksOfSqlite(path)
        : chunksOfLines(path, latestMigration(dialect));
      for await (const chunk of chunks) {
        await insertRows(transaction, chunk.table, chunk.rows);
        rows[chunk.table] = (rows[chunk.table] ?? 0) + chunk.rows.length;
      }
      if (dialect.engine === 'postgres') await continueSequences(transaction);
      const keys = await transaction
        .selectFrom('encryption_keys')
        .select('key_id')
        .orderBy('added_at')
        .execute();
      return { rows, keyIds: keys.map((key) => key.key_id) };
    });
  } finally {
    await db.destroy();
  }
}

async function refuseContent(db: Database, location: string): Promise<void> {
  for (const table of CONTENT_TABLES) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db);
    if (rows.length === 0) continue;
    throw new StoreError(
      'conflict',
      `The store ${location} is not empty (${table}); make a backup of it, then restore with --force, which replaces everything`,
    );
  }
}

async function empty(db: Database, { dialect }: Engine): Promise<void> {
  await permitAuditChanges(db, dialect);
  for (const { name } of DUMPED_TABLES.toReversed()) await sql`delete from ${sql.table(name)}`.execute(db);
  await refuseAuditChanges(db, dialect);
}

/** Inserting given numbers does not move the generator on. */
async function continueSequences(db: Database): Promise<void> {
  for (const [table, column] of [
    ['audit_log', 'sequence'],
    ['conversation_messages', 'number'],
  ] as const) {
    await sql`select setval(pg_get_serial_sequence(${table}, ${column}),
      greatest((select max(${sql.ref(column)}) from ${sql.table(table)}), 1))`.execute(db);
  }
}

async function isSqliteFile(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(SQLITE_MAGIC.length),
        0,
        SQLITE_MAGIC.length,
        0,
      );
      return buffer.toString('latin1', 0, bytesRead) === SQLITE_MAGIC;
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError('failed', `The backup ${path} cannot be read: ${reason}`, { cause: error });
  }
}

/** Works on a copy: opening brings an older backup up to this version, and the backup itself must stay as it is. */
async function* chunksOfSqlite(path: string): AsyncGenerator<Chunk> {
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-restore-'));
  try {
    const copy = join(folder, 'store.db');
    await copyFile(path, copy);
    const { db, dialect } = sqliteEngine(copy, path);
    try {
      await migrate(db, dialect, path);
      for (const table of DUMPED_TABLES) {
        for await (const rows of readTable(db, table)) yield { table: table.name, rows };
      }
    } finally {
      await db.destroy();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* chunksOfLines(path: string, migration: string): AsyncGenerator<Chunk> {
  const digest = createHash('sha256');
  let number = 0;
  let ended = false;
  let chunk: { table: TableName; rows: RawRow[] } | null = null;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
    number += 1;
    const value = parseLine(line);
    if (number === 1) checkHeader(value, path, migration);
    if (ended) throw damaged(path, number);
    const end = endLine.safeParse(value);
    if (end.success) {
      if (end.data.end !== digest.digest('hex')) throw damaged(path, number);
      ended = true;
      continue;
    }
    digest.update(`${line}\n`);
    if (number === 1) continue;
    const parsed = rowLine.safeParse(value);
    if (!parsed.success) throw damaged(path, number);
    const { table, row } = parsed.data;
    if (chunk !== null && (chunk.table !== table || chunk.rows.length === BATCH_ROWS)) {
      yield chunk;
      chunk = null;
    }
    chunk ??= { table, rows: [] };
    chunk.rows.push(row);
  }
  if (!ended) throw damaged(path, number);
  if (chunk !== null) yield chunk;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function checkHeader(value: unknown, path: string, migration: string): void {
  const header = headerLine.safeParse(value);
  if (!header.success) throw new StoreError('corrupt', `${path} is no backup of a store, or a damaged one`);
  if (header.data.migration === migration) return;
  throw new StoreError(
    'newer',
    `The backup ${path} is of another version of agentapi-proxy (step ${header.data.migration}, this version needs ${migration}); ` +
      'restore it with that version, then start this one',
  );
}

function damaged(path: string, line: number): StoreError {
  return new StoreError(
    'corrupt',
    `The backup ${path} is damaged or cut off at line ${line}; nothing was changed`,
  );
}
