import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Dialect } from '../tables.ts';
import { refuseAuditChanges } from './audit-guard.ts';

/** Everything of the first version with a store. */
export async function initial(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  // Ids, names and JSON compare by code point on both engines, whatever the locale of the database.
  const text = dialect.engine === 'postgres' ? sql`text collate "C"` : sql`text`;
  const integer = sql`bigint`;
  const { schema } = db;

  await schema
    .createTable('store_info')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('value', text, (column) => column.notNull())
    .execute();

  await schema
    .createTable('encryption_keys')
    .addColumn('key_id', text, (column) => column.primaryKey())
    .addColumn('check_sealed', text, (column) => column.notNull())
    .addColumn('added_at', integer, (column) => column.notNull())
    .execute();

  await schema
    .createTable('sessions')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('instance_id', text, (column) => column.notNull())
    .addColumn('owner_id', text, (column) => column.notNull())
    .addColumn('agent', text, (column) => column.notNull())
    .addColumn('agent_type', text, (column) => column.notNull())
    .addColumn('agent_server', text, (column) => column.notNull())
    .addColumn('tags', text, (column) => column.notNull())
    .addColumn('environment_names', text, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('updated_at', integer, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('reason', text)
    .addColumn('port', integer, (column) => column.notNull())
    .addColumn('pid', integer)
    .addColumn('start_time', text)
    .addColumn('boot_id', text)
    .addColumn('token_sealed', text)
    .addColumn('start_sealed', text, (column) => column.notNull())
    .addColumn('exit_sealed', text)
    .addColumn('message_state', text)
    .addColumn('message_at', integer)
    .addColumn('message_reason', text)
    .addColumn('message_sealed', text)
    .execute();
  await schema.createIndex('sessions_newest').on('sessions').columns(['created_at desc', 'id']).execute();
  await schema
    .createIndex('sessions_owner')
    .on('sessions')
    .columns(['owner_id', 'created_at desc', 'id'])
    .execute();
  await schema
    .createIndex('sessions_state')
    .on('sessions')
    .columns(['state', 'created_at desc', 'id'])
    .execute();

  await schema
    .createTable('session_states')
    .addColumn('session_id', text, (column) => column.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('position', integer, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('at', integer, (column) => column.notNull())
    .addColumn('reason', text)
    .addPrimaryKeyConstraint('session_states_key', ['session_id', 'position'])
    .execute();

  await schema
    .createTable('session_tags')
    .addColumn('session_id', text, (column) => column.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('digest', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('session_tags_key', ['session_id', 'digest'])
    .execute();
  await schema
    .createIndex('session_tags_digest')
    .on('session_tags')
    .columns(['digest', 'session_id'])
    .execute();

  await schema
    .createTable('profiles')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('user_id', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('repository_history', text, (column) => column.notNull())
    .addColumn('message_templates', text, (column) => column.notNull())
    .addColumn('agent', text)
    .addColumn('repository', text)
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('updated_at', integer, (column) => column.notNull())
    .addColumn('last_used_at', integer)
    .addColumn('version', integer, (column) => column.notNull())
    .addColumn('private_sealed', text, (column) => column.notNull())
    .execute();
  await schema.createIndex('profiles_user').on('profiles').columns(['user_id', 'created_at']).execute();
  await schema
    .createTable('profile_defaults')
    .addColumn('user_id', text, (column) => column.primaryKey())
    .addColumn('profile_id', text, (column) =>
      column.notNull().unique().references('profiles.id').onDelete('cascade'),
    )
    .execute();

  await schema
    .createTable('api_keys')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('hash', text, (column) => column.notNull().unique())
    .addColumn('hint', text, (column) => column.notNull())
    .addColumn('label', text, (column) => column.notNull())
    .addColumn('user_id', text, (column) => column.notNull())
    .addColumn('role', text, (column) => column.notNull())
    .addColumn('permissions', text, (column) => column.notNull())
    .addColumn('created_by', text, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('expires_at', integer)
    .addColumn('revoked_at', integer)
    .addColumn('last_used_at', integer)
    .execute();
  await schema.createIndex('api_keys_user').on('api_keys').column('user_id').execute();

  const sequence =
    dialect.engine === 'postgres' ? sql`bigint generated by default as identity` : sql`integer`;
  await schema
    .createTable('audit_log')
    .addColumn('sequence', sequence, (column) =>
      dialect.engine === 'postgres' ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn('at', integer, (column) => column.notNull())
    .addColumn('actor', text)
    .addColumn('actor_key_id', text)
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('outcome', text, (column) => column.notNull())
    .addColumn('target_kind', text)
    .addColumn('target_id', text)
    .addColumn('remote_address', text)
    .addColumn('request_id', text)
    .addColumn('details', text, (column) => column.notNull())
    .execute();
  await schema.createIndex('audit_log_at').on('audit_log').column('at').execute();
  await schema.createIndex('audit_log_actor').on('audit_log').columns(['actor', 'sequence']).execute();
  await schema.createIndex('audit_log_target').on('audit_log').columns(['target_id', 'sequence']).execute();
  await refuseAuditChanges(db, dialect);

  await schema
    .createTable('share_grants')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('session_id', text, (column) => column.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('user_id', text, (column) => column.notNull())
    .addColumn('access', text, (column) => column.notNull())
    .addColumn('created_by', text, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('expires_at', integer)
    .addColumn('revoked_at', integer)
    .addUniqueConstraint('share_grants_user', ['session_id', 'user_id'])
    .execute();

  await schema
    .createTable('share_links')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('session_id', text, (column) => column.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('hash', text, (column) => column.notNull().unique())
    .addColumn('created_by', text, (column) => column.notNull())
    .addColumn('created_at', integer, (column) => column.notNull())
    .addColumn('expires_at', integer, (column) => column.notNull())
    .addColumn('revoked_at', integer)
    .execute();
  await schema.createIndex('share_links_session').on('share_links').column('session_id').execute();
}
