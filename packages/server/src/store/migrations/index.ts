import type { Migration } from 'kysely';
import type { Dialect } from '../tables.ts';
import { initial } from './0001-initial.ts';
import { workspaceName } from './0002-workspace-name.ts';
import { conversations } from './0003-conversations.ts';
import { profileOfSession } from './0004-profile-of-session.ts';

/** Every migration by its name, in order. One that was released never changes. */
export function migrationsFor(dialect: Dialect): Readonly<Record<string, Migration>> {
  return {
    '0001-initial': { up: async (db) => initial(db, dialect) },
    '0002-workspace-name': { up: async (db) => workspaceName(db, dialect) },
    '0003-conversations': { up: async (db) => conversations(db, dialect) },
    '0004-profile-of-session': { up: async (db) => profileOfSession(db, dialect) },
  };
}
