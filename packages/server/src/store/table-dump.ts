import { sql } from 'kysely';
import type { Database } from './tables.ts';

/** Rows read or written at a time. */
const PAGE_SIZE = 500;
/** Columns times rows stay below what a statement may carry. */
const INSERT_SIZE = 100;

/** A row as both engines store it. */
export type RawRow = Readonly<Record<string, string | number | null>>;

/** Every table with its key; a referenced table before those that refer to it. */
export const DUMPED_TABLES = [
  { name: 'store_info', key: ['name'] },
  { name: 'encryption_keys', key: ['key_id'] },
  { name: 'sessions', key: ['id'] },
  { name: 'session_states', key: ['session_id', 'position'] },
  { name: 'session_tags', key: ['session_id', 'digest'] },
  { name: 'profiles', key: ['id'] },
  { name: 'profile_defaults', key: ['user_id'] },
  { name: 'api_keys', key: ['id'] },
  { name: 'audit_log', key: ['sequence'] },
  { name: 'share_grants', key: ['id'] },
  { name: 'share_links', key: ['id'] },
  { name: 'journals', key: ['id'] },
  { name: 'journal_batches', key: ['id'] },
  { name: 'conversation_messages', key: ['number'] },
  { name: 'search_keys', key: ['id'] },
  { name: 'queued_messages', key: ['id'] },
] as const;

export type TableName = (typeof DUMPED_TABLES)[number]['name'];

/** Reads a table page by page, by its key; run it in one transaction to see one moment. */
export async function* readTable(
  db: Database,
  table: { readonly name: TableName; readonly key: readonly string[] },
): AsyncGenerator<readonly RawRow[]> {
  const key = sql.join(table.key.map((column) => sql.ref(column)));
  let last: RawRow | undefined;
  for (;;) {
    const from: RawRow | undefined = last;
    const after =
      from === undefined
        ? sql`1 = 1`
        : sql`(${key}) > (${sql.join(table.key.map((column) => sql.val(from[column])))})`;
    const { rows } = await sql<RawRow>`
      select * from ${sql.table(table.name)} where ${after} order by ${key} limit ${PAGE_SIZE}`.execute(db);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE_SIZE) return;
    last = rows.at(-1);
  }
}

/** Inserts rows, which all have the same columns. */
export async function insertRows(db: Database, table: TableName, rows: readonly RawRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += INSERT_SIZE) {
    const part = rows.slice(start, start + INSERT_SIZE);
    const columns = Object.keys(part[0] ?? {});
    const values = part.map(
      (row) => sql`(${sql.join(columns.map((column) => sql.val(row[column] ?? null)))})`,
    );
    await sql`
      insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
      values ${sql.join(values)}`.execute(db);
  }
}
