import { sql } from 'kysely';
import type { KeySource } from './key-source.ts';
import type { Keyring } from './keyring.ts';
import { SEALED_COLUMNS } from './sealed-columns.ts';
import { keyIdIn, openWith, SecretBox } from './secret-box.ts';
import type { Place } from './secret-box.ts';
import { StoreError } from './store-error.ts';
import { inTransaction } from './tables.ts';
import type { Database, Dialect, EncryptionKeyRow } from './tables.ts';

/** What the checks hold; its only meaning is that it opens. */
const CHECK_TEXT = 'agentapi-proxy';

/**
 * Loads the keys and makes sure that they are the store's: every key that something may be sealed with is there
 * and is the right one (PX-171). The newest is recorded.
 * @throws StoreError `key` with what to do; then nothing has changed.
 */
export async function admitKeys(
  db: Database,
  dialect: Dialect,
  source: KeySource,
  location: string,
): Promise<Keyring> {
  return inTransaction(db, async (transaction) => {
    // Two servers that meet on a new database must not both make a key.
    if (dialect.locksRows) await sql`lock table encryption_keys in exclusive mode`.execute(transaction);
    const { keyring, isRecorded } = await checkKeys(transaction, source, location);
    const { newest } = keyring;
    if (!isRecorded) {
      await transaction
        .insertInto('encryption_keys')
        .values({
          key_id: newest.id,
          check_sealed: new SecretBox(keyring).seal(CHECK_TEXT, checkPlace(newest.id)),
          added_at: Date.now(),
        })
        .execute();
    }
    return keyring;
  });
}

/**
 * Makes sure that the keys are the store's; writes nothing to it.
 * @returns the keys, and whether the store knows the newest.
 * @throws StoreError `key`
 */
export async function checkKeys(
  db: Database,
  source: KeySource,
  location: string,
): Promise<{ readonly keyring: Keyring; readonly isRecorded: boolean }> {
  const rows = await db
    .selectFrom('encryption_keys')
    .selectAll()
    .orderBy('added_at')
    .orderBy('key_id')
    .execute();
  const keyring = await source.load(rows.length === 0);
  for (const row of rows) verify(row, keyring, source, location);
  for (const keyId of await usedKeyIds(db)) requireKey(keyId, keyring, source, location);
  return { keyring, isRecorded: rows.some((row) => row.key_id === keyring.newest.id) };
}

const ADVICE =
  'Put the right key back (a line of the key file, encryption.key_file or encryption.key), or restore the backup that ' +
  'belongs to the present one. Nothing was changed';

function requireKey(keyId: string, keyring: Keyring, source: KeySource, location: string): void {
  if (keyring.find(keyId) !== null) return;
  throw new StoreError(
    'key',
    `The store ${location} is sealed with the encryption key ${keyId}, but ${source.name} has only ${keyring.ids.join(', ')}. ${ADVICE}`,
  );
}

/** Two keys with one id are unlikely, a changed database is not. */
function verify(row: EncryptionKeyRow, keyring: Keyring, source: KeySource, location: string): void {
  requireKey(row.key_id, keyring, source, location);
  try {
    openWith(keyring, row.check_sealed, checkPlace(row.key_id));
  } catch (error) {
    throw new StoreError(
      'key',
      `The encryption key ${row.key_id} of ${source.name} does not open the store ${location}. ${ADVICE}`,
      { cause: error },
    );
  }
}

/**
 * The keys of all envelopes, whatever the list of keys says: a server that had not read the new key yet may have
 * used an old one after the list forgot it.
 */
async function usedKeyIds(db: Database): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  for (const { table, column } of SEALED_COLUMNS) {
    const name = sql.ref(column);
    const { rows } = await sql<{ key_id: string }>`
      select distinct ${keyIdIn(name)} as key_id from ${sql.table(table)} where ${name} is not null`.execute(
      db,
    );
    for (const row of rows) used.add(row.key_id);
  }
  return used;
}

function checkPlace(keyId: string): Place {
  return { table: 'encryption_keys', id: keyId, field: 'check' };
}
