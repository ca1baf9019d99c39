import { sql } from 'kysely';
import type { SelectQueryBuilder } from 'kysely';
import { z } from 'zod';
import type { MessageTemplate, Profile, RepositoryEntry } from '../profiles/profile.ts';
import {
  millisecondsOrNull,
  parseColumn,
  storable,
  storableOrNull,
  textList,
  textMap,
  timeOf,
  timeOrNull,
} from './columns.ts';
import type { SecretBox } from './secret-box.ts';
import { inTransaction, takeTurns } from './tables.ts';
import type { Database, Dialect, ProfileRow, Tables } from './tables.ts';

/** A profile before the store has given it a version. */
export type NewProfile = Omit<Profile, 'version'>;

/** What an edit may change; the store counts the version. */
export type ProfileEdit = Partial<Omit<Profile, 'id' | 'userId' | 'createdAt' | 'version'>>;

export type EditResult =
  | { readonly kind: 'updated'; readonly profile: Profile }
  | { readonly kind: 'missing' }
  /** Somebody was faster; `version` is the present one. */
  | { readonly kind: 'conflict'; readonly version: number };

const time = z.iso.datetime().transform((text) => new Date(text));
const repositoryHistory = z.array(
  z.object({
    id: z.string(),
    url: z.string(),
    name: z.string(),
    branch: z.string().nullable(),
    lastCommit: z.string().nullable(),
    metadata: textMap,
    accessedAt: time,
  }),
);
const messageTemplates = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    content: z.string(),
    variables: textList,
    category: z.string().nullable(),
    metadata: textMap,
    createdAt: time,
  }),
);
const privatePart = z.object({
  environment: textMap,
  systemPrompt: z.string(),
  agentArgs: textList,
  script: z.exactOptional(z.string().nullable()),
});

type StoredRow = ProfileRow & { readonly is_default: number };

/** Profiles in the store. Every write is durable when its promise resolves. */
export class ProfileTable {
  readonly #db: Database;
  readonly #box: SecretBox;
  readonly #dialect: Dialect;

  constructor(db: Database, box: SecretBox, dialect: Dialect) {
    this.#db = db;
    this.#box = box;
    this.#dialect = dialect;
  }

  /**
   * Adds a profile; as its user's default it takes the place of the one before.
   * @throws StoreError `conflict` when the id is taken.
   */
  async insert(profile: NewProfile): Promise<Profile> {
    const added: Profile = { ...profile, version: 1 };
    await inTransaction(this.#db, async (db) => this.#insert(db, added));
    return added;
  }

  /**
   * As {@link insert}, unless its user has `most` profiles already, however many are added at once.
   * @returns `null` when he has; then nothing has changed.
   */
  async insertWithin(profile: NewProfile, most: number): Promise<Profile | null> {
    const added: Profile = { ...profile, version: 1 };
    return inTransaction(this.#db, async (db) => {
      await takeTurns(db, this.#dialect, `profiles of ${storable(added.userId)}`);
      const { total } = await db
        .selectFrom('profiles')
        .select((select) => select.fn.countAll<number>().as('total'))
        .where('user_id', '=', storable(added.userId))
        .executeTakeFirstOrThrow();
      if (total >= most) return null;
      await this.#insert(db, added);
      return added;
    });
  }

  /** `null` when there is no such profile. */
  async get(id: string): Promise<Profile | null> {
    return this.#read(this.#db, id);
  }

  /** Oldest first. */
  async listByOwner(userId: string): Promise<readonly Profile[]> {
    const rows = await selectProfiles(this.#db)
      .where('user_id', '=', storable(userId))
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return Promise.all(rows.map(async (row) => this.#open(row)));
  }

  /** Everybody's, oldest first; for admins. */
  async listAll(): Promise<readonly Profile[]> {
    const rows = await selectProfiles(this.#db).orderBy('created_at').orderBy('id').execute();
    return Promise.all(rows.map(async (row) => this.#open(row)));
  }

  /** The one that a user starts with when naming none. */
  async getDefault(userId: string): Promise<Profile | null> {
    const row = await selectProfiles(this.#db)
      .where('id', 'in', (select) =>
        select.selectFrom('profile_defaults').select('profile_id').where('user_id', '=', storable(userId)),
      )
      .executeTakeFirst();
    return row === undefined ? null : this.#open(row);
  }

  /**
   * Edits a profile; edits of one profile come one after the other, so none is lost (DF-39, PX-209).
   * @param edit - given the present profile, what is to be different; may throw, then nothing changes.
   * @param ifVersion - the version that the caller has seen; absent = any.
   */
  async edit(id: string, edit: (present: Profile) => ProfileEdit, ifVersion?: number): Promise<EditResult> {
    return inTransaction(this.#db, async (db): Promise<EditResult> => {
      const present = await this.#read(db, id, this.#dialect.locksRows);
      if (present === null) return { kind: 'missing' };
      if (ifVersion !== undefined && present.version !== ifVersion) {
        return { kind: 'conflict', version: present.version };
      }
      const edited: Profile = { ...present, ...edit(present), version: present.version + 1 };
      await db
        .updateTable('profiles')
        .set({ ...this.#columns(edited), version: edited.version })
        .where('id', '=', id)
        .execute();
      if (edited.isDefault) await makeDefault(db, edited);
      else if (present.isDefault)
        await db.deleteFrom('profile_defaults').where('profile_id', '=', id).execute();
      return { kind: 'updated', profile: edited };
    });
  }

  /**
   * Notes a use (PX-206). It is no edit: the version stays.
   * @returns whether there is such a profile.
   */
  async markUsed(id: string, at: Date): Promise<boolean> {
    const result = await this.#db
      .updateTable('profiles')
      .set({ last_used_at: at.getTime(), updated_at: at.getTime() })
      .where('id', '=', id)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** @param ifVersion - the version that the caller has seen; absent = any. */
  async delete(
    id: string,
    ifVersion?: number,
  ): Promise<{ readonly kind: 'deleted' } | Exclude<EditResult, { kind: 'updated' }>> {
    return inTransaction(this.#db, async (db) => {
      let query = db.selectFrom('profiles').select('version').where('id', '=', id);
      if (this.#dialect.locksRows) query = query.forUpdate();
      const row = await query.executeTakeFirst();
      if (row === undefined) return { kind: 'missing' };
      if (ifVersion !== undefined && row.version !== ifVersion) {
        return { kind: 'conflict', version: row.version };
      }
      await db.deleteFrom('profiles').where('id', '=', id).execute();
      return { kind: 'deleted' };
    });
  }

  async #insert(db: Database, added: Profile): Promise<void> {
    await db
      .insertInto('profiles')
      .values({
        id: added.id,
        user_id: storable(added.userId),
        created_at: added.createdAt.getTime(),
        version: added.version,
        ...this.#columns(added),
      })
      .execute();
    if (added.isDefault) await makeDefault(db, added);
  }

  async #read(db: Database, id: string, lock = false): Promise<Profile | null> {
    let query = selectProfiles(db).where('id', '=', id);
    if (lock) query = query.forUpdate();
    const row = await query.executeTakeFirst();
    return row === undefined ? null : this.#open(row);
  }

  async #open(row: StoredRow): Promise<Profile> {
    const name = (column: string): string => `profiles.${column} of ${row.id}`;
    const text = await this.#box.open(row.private_sealed, {
      table: 'profiles',
      id: row.id,
      field: 'private',
    });
    const {
      environment,
      systemPrompt,
      agentArgs,
      script = null,
    } = parseColumn(privatePart, text, name('private'));
    const history: readonly RepositoryEntry[] = parseColumn(
      repositoryHistory,
      row.repository_history,
      name('repository_history'),
    );
    const templates: readonly MessageTemplate[] = parseColumn(
      messageTemplates,
      row.message_templates,
      name('message_templates'),
    );
    return {
      id: row.id,
      userId: row.user_id,
      name: row.name,
      description: row.description,
      environment,
      repositoryHistory: history,
      systemPrompt,
      messageTemplates: templates,
      agent: row.agent,
      agentArgs,
      script,
      repository: row.repository,
      isDefault: row.is_default > 0,
      createdAt: timeOf(row.created_at),
      updatedAt: timeOf(row.updated_at),
      lastUsedAt: timeOrNull(row.last_used_at),
      version: row.version,
    };
  }

  #columns(profile: Profile): Omit<ProfileRow, 'id' | 'user_id' | 'created_at' | 'version'> {
    const { environment, systemPrompt, agentArgs, script } = profile;
    return {
      name: storable(profile.name),
      description: storable(profile.description),
      repository_history: JSON.stringify(profile.repositoryHistory),
      message_templates: JSON.stringify(profile.messageTemplates),
      agent: storableOrNull(profile.agent),
      repository: storableOrNull(profile.repository),
      updated_at: profile.updatedAt.getTime(),
      last_used_at: millisecondsOrNull(profile.lastUsedAt),
      private_sealed: this.#box.seal(JSON.stringify({ environment, systemPrompt, agentArgs, script }), {
        table: 'profiles',
        id: profile.id,
        field: 'private',
      }),
    };
  }
}

/** Rows with what the store knows about their being a default. */
function selectProfiles(db: Database): SelectQueryBuilder<Tables, 'profiles', StoredRow> {
  return db
    .selectFrom('profiles')
    .selectAll()
    .select((select) =>
      select
        .selectFrom('profile_defaults')
        .select(sql<number>`count(*)`.as('defaults'))
        .whereRef('profile_defaults.profile_id', '=', 'profiles.id')
        .$asScalar()
        .as('is_default'),
    );
}

async function makeDefault(db: Database, { id, userId }: Profile): Promise<void> {
  await db
    .insertInto('profile_defaults')
    .values({ user_id: storable(userId), profile_id: id })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ profile_id: id }))
    .execute();
}
