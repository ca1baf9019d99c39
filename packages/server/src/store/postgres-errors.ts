import { StoreError } from './store-error.ts';
import type { StoreErrorKind } from './store-error.ts';

/** By the beginning of the SQLSTATE; the first that fits counts. */
const KINDS: readonly (readonly [state: string, kind: StoreErrorKind, text: string])[] = [
  ['23505', 'conflict', 'refuses a value that is taken'],
  ['23503', 'conflict', 'refuses a record that belongs to one that is not there'],
  ['53100', 'full', 'has no room left on its disk; make room, nothing that was saved is lost'],
  ['53300', 'busy', 'has no connection left; raise max_connections of PostgreSQL'],
  ['25006', 'read_only', 'cannot be written to; name the primary server in store.url'],
  ['28', 'unavailable', 'refuses the user or password of store.url'],
  ['3D000', 'unavailable', 'does not exist on that server; create the database or correct store.url'],
  ['42501', 'unavailable', 'denies its user a right; the user must own the schema'],
  ['XX00', 'corrupt', 'is damaged; restore a backup'],
  ['08', 'unavailable', 'lost the connection'],
  ['57P', 'unavailable', 'is stopping or starting'],
  ['57014', 'busy', 'took too long for a statement'],
  ['55P03', 'busy', 'waited too long for a lock'],
  ['40', 'busy', 'gave up a transaction in favour of another one'],
];

/** Whether the server itself has refused a statement; then the connection is still good. */
export function isServerError(error: unknown): boolean {
  return sqlStateOf(error) !== null;
}

/** A failure of PostgreSQL, or of the way to it, as a StoreError; it quotes no values. */
export function postgresError(error: unknown, location: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const state = sqlStateOf(error);
  if (state === null) {
    return new StoreError('unavailable', `The store ${location} cannot be reached: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const [, kind, text] = KINDS.find(([start]) => state.startsWith(start)) ?? [
    state,
    'failed',
    'refuses a statement',
  ];
  return new StoreError(kind, `The store ${location} ${text} (${state})`, { cause: error });
}

function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** An attempt at several addresses fails with an AggregateError, which has no message of its own. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) {
    return error.errors
      .map((each: unknown) => (each instanceof Error ? each.message : String(each)))
      .join('; ');
  }
  return error.message;
}
