import { Migrator } from 'kysely';
import { migrationsFor } from './migrations/index.ts';
import { StoreError } from './store-error.ts';
import type { Database, Dialect } from './tables.ts';

const MIGRATION_TABLE = 'schema_migrations';
const LOCK_TABLE = 'schema_migrations_lock';

/**
 * Brings the tables up to this version, all steps in one transaction; servers that start at once wait for
 * each other.
 * @param location - the database, for errors.
 * @returns the names of the steps taken.
 * @throws StoreError `newer` when a newer version has been here; then nothing was touched.
 */
export async function migrate(db: Database, dialect: Dialect, location: string): Promise<readonly string[]> {
  const migrations = migrationsFor(dialect);
  await refuseNewer(db, location, Object.keys(migrations));
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => Promise.resolve({ ...migrations }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: LOCK_TABLE,
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

async function executedMigrations(db: Database): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === MIGRATION_TABLE)) return [];
  const rows = await db
    .withTables<{ [MIGRATION_TABLE]: { readonly name: string } }>()
    .selectFrom(MIGRATION_TABLE)
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}
