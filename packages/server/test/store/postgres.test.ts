import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryKeys } from '../../src/store/key-source.ts';
import { openPostgres, postgresEngine } from '../../src/store/postgres.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { HAS_POSTGRES, PostgresServer } from '../../../../tools/src/postgres-server.ts';
import { newProfile, newSession, STEPS } from './stores.ts';

describe.skipIf(!HAS_POSTGRES)('store on PostgreSQL [needs postgresql]', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** Breaks every connection to a database, as a restart of the server or a broken line would. */
  async function breakConnections(url: string): Promise<void> {
    const name = new URL(url).pathname.slice(1);
    await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  }

  test('DF-31: a server that is not there is named, without user and password', async () => {
    const url = 'postgres://someone:geheim@127.0.0.1:1/database?connect_timeout=3';
    const attempt = openPostgres(url, temporaryKeys());
    await expect(attempt).rejects.toMatchObject({
      name: 'StoreError',
      kind: 'unavailable',
      message: expect.stringMatching(
        /^The store postgres:\/\/127\.0\.0\.1:1\/database cannot be reached: .*ECONNREFUSED/,
      ),
    });
    await expect(attempt).rejects.toMatchObject({ message: expect.not.stringMatching(/geheim|someone/) });
  });

  test('a wrong password, a missing database and a text that is no URL are told apart', async () => {
    const url = new URL(await server.createDatabase());
    url.password = 'wrong';
    await expect(openPostgres(url.href, temporaryKeys())).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('refuses the user or password of store.url'),
    });
    await expect(openPostgres(server.urlOf('nowhere'), temporaryKeys())).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('/nowhere does not exist on that server'),
    });
    await expect(openPostgres('not a url', temporaryKeys())).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('store.url is no URL'),
    });
  });

  test('after its connections broke the store goes on with new ones', async () => {
    const url = await server.createDatabase();
    const lost: Error[] = [];
    await using store = await openPostgres(url, temporaryKeys(), {
      onConnectionLost: (error) => lost.push(error),
    });
    await store.sessions.insert(newSession());
    await breakConnections(url);
    await expect.poll(() => lost.length).toBeGreaterThan(0);
    await store.sessions.insert(newSession());
    expect(await store.sessions.count()).toBe(2);
  });

  test('a connection that breaks in the middle of a transaction fails it as a whole', async () => {
    const url = await server.createDatabase();
    await using store = await openPostgres(url, temporaryKeys());
    const attempt = store.transaction(async (tables) => {
      await tables.sessions.insert(newSession());
      await breakConnections(url);
      await tables.sessions.insert(newSession());
    });
    await expect(attempt).rejects.toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    expect(await store.sessions.count()).toBe(0);
  });

  test('connections that are ended at any moment, also while nobody waits for them, end nothing else', async () => {
    const url = await server.createDatabase();
    const engine = postgresEngine(url);
    const over = new AbortController();
    const working = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) {
        const attempt = engine.db.transaction().execute(async (transaction) => {
          for (let statement = 0; statement < 4; statement += 1) {
            await sql`select 1`.execute(transaction);
            await pause(Math.random() * 8);
          }
        });
        // An error that nobody is told of would end the process, and ends the tests.
        await attempt.catch((error: unknown) => expect(error).toBeInstanceOf(StoreError));
      }
    });
    for (let time = 0; time < 200; time += 1) {
      await breakConnections(url);
      await pause(Math.random() * 20);
    }
    over.abort();
    await Promise.all(working);
    await engine.db.destroy();
  }, 60_000);

  test('a restart of PostgreSQL is an error while it lasts, and over afterwards', async () => {
    await using own = await PostgresServer.start();
    await using store = await openPostgres(await own.createDatabase(), temporaryKeys());
    const session = newSession();
    await store.sessions.insert(session);
    await own.stop('SIGKILL');
    await expect(store.ping()).rejects.toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    await expect(store.sessions.insert(newSession())).rejects.toMatchObject({ kind: 'unavailable' });
    await own.launch();
    await store.ping();
    expect(await store.sessions.get(session.facts.id)).not.toBeNull();
  });

  test('DF-31: a database that only reads is refused at start', async () => {
    const url = await server.createDatabase();
    const name = new URL(url).pathname.slice(1);
    const keys = temporaryKeys();
    await (await openPostgres(url, keys))[Symbol.asyncDispose]();
    await server.query(`alter database ${name} set default_transaction_read_only = on`);
    await expect(openPostgres(url, keys)).rejects.toMatchObject({
      kind: 'read_only',
      message: expect.stringContaining('cannot be written to'),
    });
  });

  test('commits wait for the disk, and no statement for ever, whatever the server is set to', async () => {
    const url = await server.createDatabase();
    await server.query(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`);
    const { db } = postgresEngine(url);
    onTestFinished(() => db.destroy());
    const setting = async (name: string): Promise<unknown> =>
      (await sql<Record<string, string>>`show ${sql.raw(name)}`.execute(db)).rows[0]?.[name];
    expect(await setting('synchronous_commit')).toBe('on');
    expect(await setting('statement_timeout')).toBe('30s');
    expect(await setting('lock_timeout')).toBe('10s');
    expect(await setting('idle_in_transaction_session_timeout')).toBe('40s');
    expect(await setting('application_name')).toBe('agentapi-proxy');
  });

  test('two stores live in two schemas of one database', async () => {
    const url = await server.createDatabase();
    await server.query('create schema one; create schema two', url);
    const keys = temporaryKeys();
    const schema = (name: string): string => `${url}?options=-csearch_path%3D${name}`;
    await using one = await openPostgres(schema('one'), keys);
    await using two = await openPostgres(schema('two'), temporaryKeys());
    expect([one.migrated, two.migrated]).toEqual([STEPS, STEPS]);
    await one.sessions.insert(newSession());
    expect([await one.sessions.count(), await two.sessions.count()]).toEqual([1, 0]);
    await expect(openPostgres(schema('three'), keys)).rejects.toMatchObject({
      message: expect.stringContaining('no schema'),
    });
    await using again = await openPostgres(schema('one'), keys);
    expect(again.migrated).toEqual([]);
  });

  test('more at once than there are connections wait their turn', async () => {
    await using store = await openPostgres(await server.createDatabase(), temporaryKeys(), { poolSize: 2 });
    const { id } = await store.profiles.insert(newProfile());
    const edits = Array.from({ length: 40 }, () =>
      store.profiles.edit(id, (present) => ({ agentArgs: [...present.agentArgs, 'x'] })),
    );
    await Promise.all(edits);
    expect((await store.profiles.get(id))?.agentArgs).toHaveLength(40);
  });

  test('closing ends every connection', async () => {
    const url = await server.createDatabase();
    const store = await openPostgres(url, temporaryKeys());
    await Promise.all(Array.from({ length: 10 }, () => store.ping()));
    await store[Symbol.asyncDispose]();
    const name = new URL(url).pathname.slice(1);
    await expect
      .poll(() => server.query(`select pid from pg_stat_activity where datname = '${name}'`))
      .toEqual([]);
    await expect(store.ping()).rejects.toThrow();
  });
});
