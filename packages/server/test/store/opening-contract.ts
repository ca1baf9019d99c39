import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { newSession, type Site, STEPS, type TestEngine } from './stores.ts';

async function run(site: Site, ...statements: readonly string[]): Promise<void> {
  const { db } = site.engine();
  try {
    for (const statement of statements) await sql.raw(statement).execute(db);
  } finally {
    await db.destroy();
  }
}

export function openingContract(engine: TestEngine): void {
  describe('opening', () => {
    test('the first opening makes the tables, the next finds them', async () => {
      await using site = await engine.site();
      {
        await using store = await site.open();
        expect(store.migrated).toEqual(STEPS);
        expect(store.inMemory).toBe(false);
        await store.ping();
      }
      await using store = await site.open();
      expect(store.migrated).toEqual([]);
    });

    test('servers that meet on a new database make the tables and the key once', async () => {
      await using site = await engine.site();
      const stores = await Promise.all(Array.from({ length: 4 }, () => site.open()));
      try {
        expect(stores.flatMap((store) => store.migrated)).toEqual(STEPS);
        const session = newSession({ message: 'secret' });
        await stores[0]?.sessions.insert(session);
        expect(await stores[3]?.sessions.readSecrets(session.facts.id)).toMatchObject({ message: 'secret' });
      } finally {
        await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
      }
    });

    test('a database of a newer version is refused by the name of its step, and left alone', async () => {
      await using site = await engine.site();
      {
        await using store = await site.open();
        await store.sessions.insert(newSession());
      }
      await run(
        site,
        `insert into agentapi_proxy_migrations (name, timestamp) values ('0099-future', '2030-01-01')`,
      );
      await expect(site.open()).rejects.toMatchObject({
        name: 'StoreError',
        kind: 'newer',
        message: expect.stringMatching(
          /newer version of agentapi-proxy.*0099-future.*0004-profile-of-session/,
        ),
      });
      await run(site, `delete from agentapi_proxy_migrations where name = '0099-future'`);
      await using store = await site.open();
      expect(await store.sessions.count()).toBe(1);
    });

    test('a store of the version before takes the steps that it lacks, and keeps what it holds', async () => {
      await using site = await engine.site();
      const session = newSession();
      {
        await using store = await site.open();
        await store.sessions.insert(session);
      }
      const [, ...later] = STEPS;
      await run(
        site,
        ...['workspace_name', 'profile_id'].map((column) => `alter table sessions drop column ${column}`),
        ...(engine.name === 'SQLite' ? ['drop table message_words'] : []),
        ...['queued_messages', 'search_keys', 'conversation_messages', 'journal_batches', 'journals'].map(
          (table) => `drop table ${table}`,
        ),
        `delete from agentapi_proxy_migrations where name <> '0001-initial'`,
      );
      await using store = await site.open();
      expect(store.migrated).toEqual(later);
      expect((await store.sessions.get(session.facts.id))?.facts).toEqual(session.facts);
    });

    test('a migration that fails leaves nothing behind', async () => {
      await using site = await engine.site();
      // In the way of an index that is made late.
      await run(site, 'create table other (id text)', 'create index share_links_session on other (id)');
      await expect(site.open()).rejects.toMatchObject({ name: 'StoreError' });
      await run(site, 'drop table other');
      await using store = await site.open();
      expect(store.migrated).toEqual(STEPS);
    });

    test("another program's tables are refused and left alone", async () => {
      await using site = await engine.site();
      await run(site, 'create table sessions (token text)', `insert into sessions values ('theirs')`);
      await expect(site.open()).rejects.toMatchObject({
        kind: 'foreign',
        message: expect.stringContaining('a table sessions of another program'),
      });
      const { db } = site.engine();
      expect((await sql`select * from sessions`.execute(db)).rows).toEqual([{ token: 'theirs' }]);
      await db.destroy();
    });

    test('a value that was changed by hand is an error that names its place, never a wrong answer', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const session = newSession();
      await store.sessions.insert(session);
      for (const [column, value] of [
        ['tags', '{"a": 1}'],
        ['tags', 'no json'],
        ['state', 'flying'],
        ['agent_server', 'none'],
        ['message_state', 'lost'],
      ] as const) {
        await using fresh = await site.open();
        const { db } = site.engine();
        const before = await sql<Record<string, string | null>>`select * from sessions`.execute(db);
        await sql`update sessions set ${sql.ref(column)} = ${value}`.execute(db);
        await expect(fresh.sessions.get(session.facts.id)).rejects.toMatchObject({
          kind: 'corrupt',
          message: expect.stringContaining(`sessions.${column} of ${session.facts.id}`),
        });
        await sql`update sessions set ${sql.ref(column)} = ${before.rows[0]?.[column] ?? null}`.execute(db);
        await db.destroy();
      }
      expect(await store.sessions.get(session.facts.id)).not.toBeNull();
    });
  });
}
