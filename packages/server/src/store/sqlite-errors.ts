import { StoreError } from './store-error.ts';
import type { StoreErrorKind } from './store-error.ts';

/** By the beginning of SQLite's result code; the first that fits counts. */
const KINDS: readonly (readonly [code: string, kind: StoreErrorKind, text: string])[] = [
  ['SQLITE_CONSTRAINT_UNIQUE', 'conflict', 'refuses a value that is taken'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 'conflict', 'refuses a value that is taken'],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', 'conflict', 'refuses a record that belongs to one that is not there'],
  ['SQLITE_FULL', 'full', 'has no room left on its disk; make room, nothing that was saved is lost'],
  [
    'SQLITE_READONLY',
    'read_only',
    'cannot be written to; check the rights of the file, its folder and its disk',
  ],
  ['SQLITE_CORRUPT', 'corrupt', 'is damaged. Move it away and restore a backup; nothing was changed'],
  [
    'SQLITE_NOTADB',
    'corrupt',
    'is damaged or no database. Move it away and restore a backup; nothing was changed',
  ],
  ['SQLITE_BUSY', 'busy', 'is held by another process'],
  ['SQLITE_LOCKED', 'busy', 'is held by another process'],
  ['SQLITE_CANTOPEN', 'unavailable', 'cannot be opened; check that the server may write to its folder'],
  ['SQLITE_IOERR', 'unavailable', 'cannot be read or written because its disk fails'],
];

/** A failure of SQLite as a StoreError; other errors stay what they are. */
export function sqliteError(error: unknown, location: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const { code } = error;
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return error;
  const [, kind, text] = KINDS.find(([start]) => code.startsWith(start)) ?? [
    code,
    'failed',
    'refuses a statement',
  ];
  return new StoreError(kind, `The store ${location} ${text} (${code})`, { cause: error });
}
