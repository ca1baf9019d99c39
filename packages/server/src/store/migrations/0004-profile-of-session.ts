import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Dialect } from '../tables.ts';

/** Profiles that sessions were started with; those from before have none. No reference: a profile may go before its sessions. */
export async function profileOfSession(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const text = dialect.engine === 'postgres' ? sql`text collate "C"` : sql`text`;
  await db.schema.alterTable('sessions').addColumn('profile_id', text).execute();
}
