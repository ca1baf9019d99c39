import { Migrator, sql } from 'kysely';
import { migrationsFor } from './migrations/index.ts';
import { StoreError } from './store-error.ts';
import { DUMPED_TABLES } from './table-dump.ts';
import type { Database, Dialect } from './tables.ts';

/** Names that no other program's tool for migrations uses, should the database be shared. */
const MIGRATION_TABLE = 'agentapi_proxy_migrations';
const LOCK_TABLE = 'agentapi_proxy_migrations_lock';

/**
 * Brings the tables up to this version, all steps in one transaction; servers that start at once wait for
 * each other.
 * @param location - the database, for errors.
 * @returns the names of the steps taken.
 * @throws StoreError `newer` when a newer version has been here; then nothing was touched.
 */
export async function migrate(db: Database, dialect: Dialect, location: string): Promise<readonly string[]> {
  const migrations = migrationsFor(dialect);
  const schema = await currentSchema(db, dialect, location);
  const tables = await tableNames(db, dialect);
  if (tables.has(MIGRATION_TABLE)) await refuseNewer(db, location, Object.keys(migrations));
  else refuseForeign(tables, location);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => Promise.resolve({ ...migrations }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: LOCK_TABLE,
    ...(schema === null ? {} : { migrationTableSchema: schema }),
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('failed', `The store ${location} could not be brought to this version`, {
      cause: error,
    });
  }
  return (results ?? []).map((result) => result.migrationName);
}

/**
 * The steps that {@link migrate} would take; changes nothing.
 * @throws StoreError as that would, before its first step.
 */
export async function missingSteps(
  db: Database,
  dialect: Dialect,
  location: string,
): Promise<readonly string[]> {
  const known = Object.keys(migrationsFor(dialect));
  await currentSchema(db, dialect, location);
  const tables = await tableNames(db, dialect);
  if (!tables.has(MIGRATION_TABLE)) {
    refuseForeign(tables, location);
    return known;
  }
  await refuseNewer(db, location, known);
  const taken = await executedMigrations(db);
  return known.filter((name) => !taken.includes(name));
}

/** Name of the last step of this version; backups carry it. */
export function latestMigration(dialect: Dialect): string {
  return Object.keys(migrationsFor(dialect)).at(-1) ?? '';
}

async function refuseNewer(db: Database, location: string, known: readonly string[]): Promise<void> {
  const unknown = (await executedMigrations(db)).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new StoreError(
    'newer',
    `The store ${location} was written by a newer version of agentapi-proxy (step ${unknown.at(-1)}; this version ` +
      `knows ${known.at(-1)}). Run that version again, or restore a backup made before the upgrade; nothing was changed`,
  );
}

/** Our tables have common names; another program's must not be taken for ours. */
function refuseForeign(tables: ReadonlySet<string>, location: string): void {
  const taken = DUMPED_TABLES.find((table) => tables.has(table.name));
  if (taken === undefined) return;
  throw new StoreError(
    'foreign',
    `${location} holds a table ${taken.name} of another program; name an empty database with store.url, or another schema ` +
      'of it with ?options=-csearch_path%3DNAME',
  );
}

async function executedMigrations(db: Database): Promise<readonly string[]> {
  const rows = await db
    .withTables<{ [MIGRATION_TABLE]: { readonly name: string } }>()
    .selectFrom(MIGRATION_TABLE)
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}

/** Where new tables go; `null` on an engine without schemas. */
async function currentSchema(db: Database, dialect: Dialect, location: string): Promise<string | null> {
  if (dialect.engine === 'sqlite') return null;
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db);
  const name = rows[0]?.name ?? null;
  if (name !== null) return name;
  throw new StoreError(
    'unavailable',
    `The store ${location} has no schema that its search_path names; create it`,
  );
}

async function tableNames(db: Database, dialect: Dialect): Promise<ReadonlySet<string>> {
  const { rows } =
    dialect.engine === 'sqlite'
      ? await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(db)
      : await sql<{ name: string }>`
          select table_name as name from information_schema.tables where table_schema = current_schema()`.execute(
          db,
        );
  return new Set(rows.map((row) => row.name));
}
