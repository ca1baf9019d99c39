import type { Place } from './secret-box.ts';

/** A column that holds envelopes. Its table has an `id`. */
export interface SealedColumn {
  readonly table:
    | 'sessions'
    | 'profiles'
    | 'journals'
    | 'journal_batches'
    | 'conversation_messages'
    | 'search_keys'
    | 'queued_messages';
  readonly column:
    | 'token_sealed'
    | 'start_sealed'
    | 'exit_sealed'
    | 'message_sealed'
    | 'private_sealed'
    | 'errors_sealed'
    | 'events_sealed'
    | 'content_sealed'
    | 'key_sealed';
  /** Its name in the authenticated place of the envelope. */
  readonly field: string;
}

/** Every column that holds envelopes; a rotation of keys goes through them. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'sessions', column: 'start_sealed', field: 'start' },
  { table: 'sessions', column: 'message_sealed', field: 'message' },
  { table: 'sessions', column: 'token_sealed', field: 'token' },
  { table: 'sessions', column: 'exit_sealed', field: 'exit' },
  { table: 'profiles', column: 'private_sealed', field: 'private' },
  { table: 'journals', column: 'errors_sealed', field: 'errors' },
  { table: 'journal_batches', column: 'events_sealed', field: 'events' },
  { table: 'conversation_messages', column: 'content_sealed', field: 'content' },
  { table: 'search_keys', column: 'key_sealed', field: 'key' },
  { table: 'queued_messages', column: 'content_sealed', field: 'content' },
];

/** Where the envelope of a record belongs. */
export function placeOf({ table, field }: SealedColumn, id: string): Place {
  return { table, id, field };
}
