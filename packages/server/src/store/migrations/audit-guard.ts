import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Dialect } from '../tables.ts';

/** Makes the database refuse every change of what the audit log holds. */
export async function refuseAuditChanges<Tables>(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
  if (dialect.engine === 'sqlite') {
    await sql`create trigger audit_log_no_update before update on audit_log
      begin select raise(abort, 'the audit log is append-only'); end`.execute(db);
    await sql`create trigger audit_log_no_delete before delete on audit_log
      begin select raise(abort, 'the audit log is append-only'); end`.execute(db);
    return;
  }
  await sql`create or replace function audit_log_refuse() returns trigger language plpgsql as
    $$ begin raise exception 'the audit log is append-only'; end $$`.execute(db);
  await sql`create trigger audit_log_append_only before update or delete or truncate on audit_log
    for each statement execute function audit_log_refuse()`.execute(db);
}

/** Lifts the refusal: for a restore that replaces everything. */
export async function permitAuditChanges<Tables>(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
  if (dialect.engine === 'sqlite') {
    await sql`drop trigger audit_log_no_update`.execute(db);
    await sql`drop trigger audit_log_no_delete`.execute(db);
    return;
  }
  await sql`drop trigger audit_log_append_only on audit_log`.execute(db);
}
