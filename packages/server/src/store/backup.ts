import { createHash } from 'node:crypto';
import { access, chmod, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import SqliteFile from 'better-sqlite3';
import { syncFolder } from './key-source.ts';
import { latestMigration } from './migrate.ts';
import { StoreError } from './store-error.ts';
import { DUMPED_TABLES, readTable } from './table-dump.ts';
import type { Database, Dialect } from './tables.ts';

/** First line of a backup as JSON lines. */
export interface DumpHeader {
  readonly format: typeof DUMP_FORMAT;
  /** Of the format. */
  readonly version: typeof DUMP_VERSION;
  /** Last step of migration of the store. */
  readonly migration: string;
  readonly createdAt: string;
}

export const DUMP_FORMAT = 'agentapi-proxy store';
export const DUMP_VERSION = 1;

/**
 * Copies an open SQLite store to a new file, mode 0600, while it is in use. The copy is a database of one file.
 * @throws StoreError when the file exists or cannot be written.
 */
export async function backupSqlite(file: SqliteFile.Database, path: string): Promise<void> {
  await writeWhole(path, async (partial) => {
    await file.backup(partial);
    const copy = new SqliteFile(partial);
    try {
      copy.pragma('journal_mode = DELETE');
      const verdict = copy.pragma('quick_check(1)', { simple: true });
      if (verdict !== 'ok') throw new Error(`the copy is damaged (${String(verdict)})`);
    } finally {
      copy.close();
    }
  });
}

/**
 * Writes the rows of a store to a new file, mode 0600, one JSON object a line, as they are at one moment.
 * @throws StoreError when the file exists or cannot be written.
 */
export async function backupLines(db: Database, dialect: Dialect, path: string): Promise<void> {
  const header: DumpHeader = {
    format: DUMP_FORMAT,
    version: DUMP_VERSION,
    migration: latestMigration(dialect),
    createdAt: new Date().toISOString(),
  };
  await writeWhole(path, async (partial) => {
    const file = await open(partial, 'w', 0o600);
    try {
      await db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute((transaction) => writeLines(transaction, header, file));
    } finally {
      await file.close();
    }
  });
}

async function writeLines(db: Database, header: DumpHeader, file: FileHandle): Promise<void> {
  const digest = createHash('sha256');
  const write = async (lines: readonly object[]): Promise<void> => {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    digest.update(text);
    await file.writeFile(text);
  };
  await write([header]);
  for (const table of DUMPED_TABLES) {
    for await (const rows of readTable(db, table)) {
      await write(rows.map((row) => ({ table: table.name, row })));
    }
  }
  // Without its end a file was cut off.
  await file.writeFile(`${JSON.stringify({ end: digest.digest('hex') })}\n`);
}

/** Makes a new private file of what `work` writes; it appears under its name only when it is complete and durable. */
async function writeWhole(path: string, work: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${path}.partial`;
  try {
    if (await exists(path)) throw new Error('the file exists; name a new one');
    await rm(partial, { force: true });
    await (await open(partial, 'wx', 0o600)).close();
    await chmod(partial, 0o600);
    await work(partial);
    const file = await open(partial, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    if (error instanceof StoreError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError('failed', `The backup ${path} cannot be written: ${reason}`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
