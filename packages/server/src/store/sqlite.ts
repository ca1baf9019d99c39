import { chmod, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import SqliteFile from 'better-sqlite3';
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely';
import type { DatabaseConnection, QueryResult, SqliteDatabase, SqliteStatement } from 'kysely';
import { backupSqlite } from './backup.ts';
import { syncFolder, temporaryKeys } from './key-source.ts';
import type { KeySource } from './key-source.ts';
import { statementsTo } from './observer.ts';
import type { StoreObserver } from './observer.ts';
import { sqliteError } from './sqlite-errors.ts';
import { Store } from './store.ts';
import type { Engine } from './store.ts';
import { StoreError } from './store-error.ts';
import type { Database, Dialect, Tables } from './tables.ts';

/** In the file's header: tells our databases from everybody else's ("AAPX"). */
const APPLICATION_ID = 0x41_41_50_58;

/** Another process (a backup, a command) holds the file for moments only. */
const BUSY_PATIENCE_MS = 5_000;

/** A write takes a fraction of that. */
const BUSY_PAUSE_MS = 5;

/** Statements kept prepared; their number is bounded because lists of values make new ones. */
const MAX_PREPARED = 200;

const MEMORY = ':memory:';

export const SQLITE: Dialect = { engine: 'sqlite', locksRows: false };

/**
 * Opens the store in a file, which is made, mode 0600, when it is missing.
 * @throws StoreError when the file is damaged, another program's or a newer version's, when it cannot be written,
 * or its encryption key is not there. Nothing is overwritten then (DF-31, PX-171, PX-172).
 */
export async function openSqlite(path: string, keys: KeySource, observer?: StoreObserver): Promise<Store> {
  await makePrivate(path);
  return Store.on(sqliteEngine(path, path, observer), keys);
}

/** A store that ends with the process: `persistence.enabled: false`. */
export async function openMemory(observer?: StoreObserver): Promise<Store> {
  return Store.on(sqliteEngine(MEMORY, 'in memory', observer), temporaryKeys());
}

/** Mode 0600 before anything is in the file; SQLite gives the same mode to `-wal` and `-shm`. */
async function makePrivate(path: string): Promise<void> {
  try {
    try {
      await (await open(path, 'wx', 0o600)).close();
      await syncFolder(dirname(path));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    await chmod(path, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError(
      'unavailable',
      `The store ${path} cannot be opened: ${reason}. The server needs a folder that it may write to; see data_dir`,
      { cause: error },
    );
  }
}

/**
 * Opens the file without looking at its tables; for {@link Store.on} and for a restore.
 * @param location - what messages call it.
 * @throws StoreError
 */
export function sqliteEngine(path: string, location = path, observer?: StoreObserver): Engine {
  const inMemory = path === MEMORY;
  const file = openFile(path, location);
  const db: Database = new Kysely<Tables>({
    dialect: new StoreSqliteDialect(file, location),
    ...(observer === undefined ? {} : { log: statementsTo(observer) }),
  });
  return {
    db,
    dialect: SQLITE,
    location,
    inMemory,
    backup: async (target) => backupSqlite(file, target),
  };
}

function openFile(path: string, location: string): SqliteFile.Database {
  let file: SqliteFile.Database | null = null;
  try {
    file = new SqliteFile(path, { timeout: BUSY_PATIENCE_MS });
    refuseForeign(file, location);
    file.pragma('journal_mode = WAL');
    // FULL: what was answered survives a power cut, not only the end of the process.
    file.pragma('synchronous = FULL');
    file.pragma('foreign_keys = ON');
    file.pragma('trusted_schema = OFF');
    // What was deleted is overwritten in the file.
    file.pragma('secure_delete = ON');
    refuseDamaged(file, location);
    // From here on we wait ourselves: SQLite would hold up the whole process.
    file.pragma('busy_timeout = 0');
    return file;
  } catch (error) {
    file?.close();
    throw sqliteError(error, location);
  }
}

function refuseForeign(file: SqliteFile.Database, location: string): void {
  const id = file.pragma('application_id', { simple: true });
  if (id === APPLICATION_ID) return;
  const tables = file
    .prepare<[], { total: number }>('select count(*) as total from sqlite_master')
    .get()?.total;
  if (tables !== 0 || id !== 0) {
    throw new StoreError(
      'foreign',
      `${location} is a database of another program; move it away, or name another folder with data_dir`,
    );
  }
  file.pragma(`application_id = ${APPLICATION_ID}`);
}

function refuseDamaged(file: SqliteFile.Database, location: string): void {
  const verdict = file.pragma('quick_check(1)', { simple: true });
  if (verdict === 'ok') return;
  throw new StoreError(
    'corrupt',
    `The store ${location} is damaged (${String(verdict).replaceAll(/\s+/g, ' ')}). Move it away and restore a backup; nothing was changed`,
  );
}

/** SQLite can undo changes of tables, too; Kysely does not count on it. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class StoreSqliteDriver extends SqliteDriver {
  readonly #file: SqliteFile.Database;

  constructor(file: SqliteFile.Database, location: string) {
    super({ database: new PreparingDatabase(file, location) });
    this.#file = file;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return new PatientConnection(await super.acquireConnection());
  }

  /** Takes the write lock at once: a transaction that reads first could not get it later (SQLITE_BUSY_SNAPSHOT). */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** Some failures, such as a full disk, have undone the transaction already. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#file.inTransaction) await super.rollbackTransaction(connection);
  }
}

class StoreSqliteDialect extends SqliteDialect {
  readonly #file: SqliteFile.Database;
  readonly #location: string;

  constructor(file: SqliteFile.Database, location: string) {
    super({ database: file });
    this.#file = file;
    this.#location = location;
  }

  override createDriver(): StoreSqliteDriver {
    return new StoreSqliteDriver(this.#file, this.#location);
  }

  override createAdapter(): TransactionalSqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

/** Waits for another process that writes; the rest of this one goes on meanwhile. */
class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;

  constructor(connection: DatabaseConnection) {
    this.#connection = connection;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const deadline = performance.now() + BUSY_PATIENCE_MS;
    for (;;) {
      try {
        return await this.#connection.executeQuery<Row>(query);
      } catch (error) {
        const isBusy = error instanceof StoreError && error.kind === 'busy';
        if (!isBusy || performance.now() > deadline) throw error;
        await pause(BUSY_PAUSE_MS);
      }
    }
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize);
  }
}

/** Keeps statements prepared and says what failed in our words. */
class PreparingDatabase implements SqliteDatabase {
  readonly #file: SqliteFile.Database;
  readonly #location: string;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(file: SqliteFile.Database, location: string) {
    this.#file = file;
    this.#location = location;
  }

  close(): void {
    this.#prepared.clear();
    this.#file.close();
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#translated(() => this.#file.prepare(sql));
    const prepared: SqliteStatement = {
      reader: statement.reader,
      all: (parameters) => this.#translated(() => statement.all(...parameters)),
      run: (parameters) => this.#translated(() => statement.run(...parameters)),
      iterate: (parameters) => statement.iterate(...parameters),
    };
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= MAX_PREPARED && oldest !== undefined) this.#prepared.delete(oldest);
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  #translated<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw sqliteError(error, this.#location);
    }
  }
}
