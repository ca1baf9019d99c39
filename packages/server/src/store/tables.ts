import { sql } from 'kysely';
import type { Generated, Kysely } from 'kysely';

/*
 * The tables, the same on both engines. Times are whole milliseconds since 1970, truth values 0 or 1, lists
 * and maps JSON in text columns: the JSON types of the engines differ in what they can hold. Columns
 * `…_sealed` hold envelopes of the secret box.
 */

/** What the store knows about itself. */
export interface StoreInfoRow {
  readonly name: string;
  value: string;
}

/** An encryption key that some envelope of this store may need. */
export interface EncryptionKeyRow {
  readonly key_id: string;
  /** A known text in an envelope of the key: shows whether a key of this id is the right one. */
  readonly check_sealed: string;
  readonly added_at: number;
}

export interface SessionRow {
  readonly id: string;
  /** The data folder whose server runs the session. */
  instance_id: string;
  readonly owner_id: string;
  readonly agent: string;
  readonly agent_type: string;
  agent_server: string;
  readonly tags: string;
  readonly environment_names: string;
  readonly workspace_name: string | null;
  readonly profile_id: string | null;
  readonly created_at: number;
  updated_at: number;
  state: string;
  reason: string | null;
  port: number;
  pid: number | null;
  start_time: string | null;
  boot_id: string | null;
  token_sealed: string | null;
  start_sealed: string;
  exit_sealed: string | null;
  message_state: string | null;
  message_at: number | null;
  message_reason: string | null;
  message_sealed: string | null;
}

/** One line of a session's past. */
export interface SessionStateRow {
  readonly session_id: string;
  readonly position: number;
  readonly state: string;
  readonly at: number;
  readonly reason: string | null;
}

/** Search index over tags; the tags themselves are in the session's row. */
export interface SessionTagRow {
  readonly session_id: string;
  /** Digest of name and value, because values may be longer than an index takes. */
  readonly digest: string;
}

export interface ProfileRow {
  readonly id: string;
  readonly user_id: string;
  name: string;
  description: string;
  repository_history: string;
  message_templates: string;
  agent: string | null;
  repository: string | null;
  readonly created_at: number;
  updated_at: number;
  last_used_at: number | null;
  version: number;
  /** Environment, system prompt and agent arguments. */
  private_sealed: string;
}

/** The profile that a user starts with; a table of its own, so that there can be only one. */
export interface ProfileDefaultRow {
  readonly user_id: string;
  profile_id: string;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly hash: string;
  readonly hint: string;
  readonly label: string;
  readonly user_id: string;
  readonly role: string;
  readonly permissions: string;
  readonly created_by: string;
  readonly created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
}

export interface AuditRow {
  readonly sequence: Generated<number>;
  readonly at: number;
  readonly actor: string | null;
  readonly actor_key_id: string | null;
  readonly action: string;
  readonly outcome: string;
  readonly target_kind: string | null;
  readonly target_id: string | null;
  readonly remote_address: string | null;
  readonly request_id: string | null;
  readonly details: string;
}

export interface ShareGrantRow {
  readonly id: string;
  readonly session_id: string;
  readonly user_id: string;
  access: string;
  created_by: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

export interface ShareLinkRow {
  readonly id: string;
  readonly session_id: string;
  readonly hash: string;
  readonly created_by: string;
  readonly created_at: number;
  readonly expires_at: number;
  revoked_at: number | null;
}

/** How far the journal of a session is. */
export interface JournalRow {
  /** Of the session. */
  readonly id: string;
  last_position: number;
  /** First position of the newest segment. */
  segment: number;
  /** How many lines of the session's past are in it. */
  states: number;
  /** Last status of the agent. */
  status: string | null;
  /** Digests of the agent's errors that it may repeat. */
  errors_sealed: string | null;
}

/** What happened in a session within a moment. */
export interface JournalBatchRow {
  /** Session and first position. */
  readonly id: string;
  readonly session_id: string;
  readonly first_position: number;
  readonly last_position: number;
  /** First position of the segment: with nothing before it, a segment can be read. */
  readonly segment: number;
  readonly at: number;
  readonly events_sealed: string;
}

/** A message of a conversation, as it was last. */
export interface ConversationMessageRow {
  readonly number: Generated<number>;
  /** Session and number of the message in it. */
  readonly id: string;
  readonly session_id: string;
  readonly message_id: number;
  role: string;
  time: string;
  /** In the journal, of its last change. */
  position: number;
  content_sealed: string;
  /** Keyed digests of its words, for the search. */
  words: string;
}

export interface SearchKeyRow {
  readonly id: string;
  readonly key_sealed: string;
}

/** A message that waits for its agent, or did. */
export interface QueuedMessageRow {
  readonly id: string;
  readonly session_id: string;
  readonly position: number;
  state: string;
  reason: string | null;
  readonly created_by: string;
  readonly created_at: number;
  updated_at: number;
  /** How many messages with this text were in the history before it was sent. */
  alike_before: number | null;
  readonly idempotency_key: string | null;
  content_sealed: string;
}

export interface Tables {
  store_info: StoreInfoRow;
  encryption_keys: EncryptionKeyRow;
  sessions: SessionRow;
  session_states: SessionStateRow;
  session_tags: SessionTagRow;
  profiles: ProfileRow;
  profile_defaults: ProfileDefaultRow;
  api_keys: ApiKeyRow;
  audit_log: AuditRow;
  share_grants: ShareGrantRow;
  share_links: ShareLinkRow;
  journals: JournalRow;
  journal_batches: JournalBatchRow;
  conversation_messages: ConversationMessageRow;
  search_keys: SearchKeyRow;
  queued_messages: QueuedMessageRow;
}

/** Where the engines differ; everything else is the same SQL. */
export interface Dialect {
  readonly engine: 'sqlite' | 'postgres';
  /** Whether a transaction must lock rows it will change; SQLite lets only one write at a time. */
  readonly locksRows: boolean;
}

/** A database, or an open transaction on one. */
export type Database = Kysely<Tables>;

/**
 * Lets transactions that add to the same things come one after the other, until each has ended: counting locks nothing,
 * so on PostgreSQL two at once would both find room.
 */
export async function takeTurns(db: Database, { locksRows }: Dialect, things: string): Promise<void> {
  if (locksRows) await sql`select pg_advisory_xact_lock(hashtextextended(${things}, 0))`.execute(db);
}

/** Runs `work` in the transaction that `db` is, or in a new one. */
export async function inTransaction<Result>(
  db: Database,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
