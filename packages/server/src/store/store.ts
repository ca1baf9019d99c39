import { sql } from 'kysely';
import { ApiKeyTable } from './api-keys.ts';
import { AuditTable } from './audit.ts';
import { admitKeys } from './encryption-keys.ts';
import { InfoTable } from './info.ts';
import { JournalTable } from './journal.ts';
import type { KeySource } from './key-source.ts';
import { MessageTable } from './messages.ts';
import { migrate } from './migrate.ts';
import { ProfileTable } from './profiles.ts';
import { QueueTable } from './queue.ts';
import { reseal } from './reseal.ts';
import type { ResealOptions, ResealReport } from './reseal.ts';
import { SecretBox } from './secret-box.ts';
import { SessionTable } from './sessions.ts';
import { ShareTable } from './shares.ts';
import type { Database, Dialect } from './tables.ts';
import { WordDigests } from './word-digests.ts';

/** What can be done in one transaction. */
export interface StoreTables {
  readonly sessions: SessionTable;
  readonly profiles: ProfileTable;
  readonly apiKeys: ApiKeyTable;
  readonly audit: AuditTable;
  readonly shares: ShareTable;
  readonly journal: JournalTable;
  readonly messages: MessageTable;
  readonly queue: QueueTable;
  readonly info: InfoTable;
}

/** An open database and what belongs to its engine. */
export interface Engine {
  readonly db: Database;
  readonly dialect: Dialect;
  /** For messages; without credentials. */
  readonly location: string;
  /** Whether everything is gone with the process. */
  readonly inMemory: boolean;
  /** Writes a backup to a new file. */
  readonly backup: (path: string) => Promise<void>;
}

/**
 * What the server keeps: sessions, profiles, API keys, the audit log, shares and conversations. Every write is durable when its
 * promise resolves; a failed one throws a StoreError and has changed nothing.
 */
export class Store implements StoreTables, AsyncDisposable {
  readonly sessions: SessionTable;
  readonly profiles: ProfileTable;
  readonly apiKeys: ApiKeyTable;
  readonly audit: AuditTable;
  readonly shares: ShareTable;
  readonly journal: JournalTable;
  readonly messages: MessageTable;
  readonly queue: QueueTable;
  readonly info: InfoTable;
  /** Steps of migration that opening took; empty when the store was of this version. */
  readonly migrated: readonly string[];
  readonly #engine: Engine;
  readonly #box: SecretBox;
  readonly #keys: KeySource;
  readonly #words: WordDigests;

  private constructor(engine: Engine, box: SecretBox, keys: KeySource, migrated: readonly string[]) {
    this.#engine = engine;
    this.#box = box;
    this.#keys = keys;
    this.#words = new WordDigests(engine.db, box);
    this.migrated = migrated;
    const tables = this.#tablesOn(engine.db);
    this.sessions = tables.sessions;
    this.profiles = tables.profiles;
    this.apiKeys = tables.apiKeys;
    this.audit = tables.audit;
    this.shares = tables.shares;
    this.journal = tables.journal;
    this.messages = tables.messages;
    this.queue = tables.queue;
    this.info = tables.info;
  }

  /**
   * Migrates the database and checks the keys; the openers call it.
   * @throws StoreError; the database is closed then.
   */
  static async on(engine: Engine, keys: KeySource): Promise<Store> {
    const { db, dialect, location } = engine;
    try {
      const migrated = await migrate(db, dialect, location);
      const keyring = await admitKeys(db, dialect, keys, location);
      // A store that can be read and not written is as useless, and must not be found out later.
      await new InfoTable(db).set('last_opened', new Date().toISOString());
      return new Store(engine, new SecretBox(keyring, async () => keys.load(false)), keys, migrated);
    } catch (error) {
      await db.destroy();
      throw error;
    }
  }

  /** For messages; without credentials. */
  get location(): string {
    return this.#engine.location;
  }

  /** Whether everything is gone with the process. */
  get inMemory(): boolean {
    return this.#engine.inMemory;
  }

  /** Whether the store belongs to one data folder; several servers may share the others. */
  get isExclusive(): boolean {
    return this.#engine.dialect.engine === 'sqlite';
  }

  /**
   * Does several things or none of them. Inside, use only what `work` is given: the store's own tables would wait
   * for the end of the transaction. Wait there for nothing else, either: others wait meanwhile.
   */
  async transaction<Result>(work: (tables: StoreTables) => Promise<Result>): Promise<Result> {
    return this.#engine.db.transaction().execute(async (db) => work(this.#tablesOn(db)));
  }

  /** @throws StoreError when the database does not answer. */
  async ping(): Promise<void> {
    await sql`select 1`.execute(this.#engine.db);
  }

  /**
   * Reads the encryption keys again.
   * @throws StoreError `key` when one that is needed is missing; then the ones before stay in use.
   */
  async reloadKeys(): Promise<void> {
    const { db, dialect, location } = this.#engine;
    this.#box.use(await admitKeys(db, dialect, this.#keys, location));
  }

  /**
   * Takes over a newer key that another process has made or begun to use.
   * @returns whether there was one; what this process has sealed since then is still sealed with the old one.
   * @throws StoreError `key` when the newer key is not among the configured ones.
   */
  async followKeys(): Promise<boolean> {
    const before = this.#box.keyring.newest.id;
    const latest = await this.#engine.db
      .selectFrom('encryption_keys')
      .select('key_id')
      .orderBy('added_at', 'desc')
      .orderBy('key_id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (latest?.key_id === before) return false;
    await this.reloadKeys();
    return this.#box.keyring.newest.id !== before;
  }

  /** Keys for one purpose alone, 32 bytes each, derived one way from the encryption keys; newest first. */
  keysFor(purpose: string): readonly Buffer[] {
    return this.#box.keyring.keys.map((key) => key.derive(purpose)).toReversed();
  }

  /** Whether a change of keys was begun and not finished: some secret may be sealed with an older key. */
  async needsReseal(): Promise<boolean> {
    const rows = await this.#engine.db.selectFrom('encryption_keys').select('key_id').limit(2).execute();
    return rows.length > 1;
  }

  /**
   * Seals everything with the newest key while the store is in use; takes up what an interrupted call has left.
   * @throws StoreError; the abort reason of `options.signal`.
   */
  async reseal(options: ResealOptions = {}): Promise<ResealReport> {
    const { db, dialect } = this.#engine;
    return reseal(db, dialect, this.#box, options);
  }

  /**
   * Makes a new key and seals everything with it while the store is in use.
   * @throws StoreError `key` when only the operator can add a key; the abort reason of `options.signal`.
   */
  async rotateKeys(options: ResealOptions = {}): Promise<ResealReport> {
    await this.#keys.addKey();
    await this.reloadKeys();
    return this.reseal(options);
  }

  /**
   * Writes a backup to a new file, mode 0600, while the store is in use. Secrets in it stay sealed: keep the
   * encryption key, too, and elsewhere.
   * @throws StoreError when the file exists or cannot be written.
   */
  async backup(path: string): Promise<void> {
    await this.#engine.backup(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.db.destroy();
  }

  #tablesOn(db: Database): StoreTables {
    return {
      sessions: new SessionTable(db, this.#box),
      profiles: new ProfileTable(db, this.#box, this.#engine.dialect),
      apiKeys: new ApiKeyTable(db, this.#engine.dialect),
      audit: new AuditTable(db, this.#engine.dialect),
      shares: new ShareTable(db, this.#engine.dialect),
      journal: new JournalTable(db, this.#box, this.#engine.dialect, this.#words),
      messages: new MessageTable(db, this.#box, this.#engine.dialect, this.#words),
      queue: new QueueTable(db, this.#box, this.#engine.dialect),
      info: new InfoTable(db),
    };
  }
}
