import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Dialect } from '../tables.ts';

/** Names of workspaces; sessions from before have none. */
export async function workspaceName(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const text = dialect.engine === 'postgres' ? sql`text collate "C"` : sql`text`;
  await db.schema.alterTable('sessions').addColumn('workspace_name', text).execute();
}
