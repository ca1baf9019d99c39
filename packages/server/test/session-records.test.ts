import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteFile from 'better-sqlite3';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SessionRecords } from '../src/sessions/records.ts';
import { Session } from '../src/sessions/session.ts';
import { temporaryKeys } from '../src/store/key-source.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';

describe('SessionRecords', () => {
  let folder: string;
  let store: Store;
  let records: SessionRecords;
  let session: Session;
  const logged: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'records-'));
    store = await openSqlite(join(folder, 'store.db'), temporaryKeys());
    logged.length = 0;
    const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
    records = new SessionRecords(store, 'instance-1', log);
    const facts = {
      id: randomUUID(),
      ownerId: 'alice',
      agent: 'demo',
      agentType: 'custom',
      agentServer: 'embedded' as const,
      tags: {},
      environmentNames: [],
      createdAt: new Date(),
    };
    session = new Session(facts, 9000);
    const agent = { command: 'agent', args: [], env: {} };
    const start = { environment: {}, agent, agentArgs: [], systemPrompt: null };
    await records.insert({ facts, port: 9000, start, message: 'hello' });
    session.initialMessage = { state: 'pending' };
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  /** Makes every statement on sessions fail until it is called again. */
  function rename(from: string, to: string): void {
    const database = new SqliteFile(join(folder, 'store.db'));
    database.exec(`alter table ${from} rename to ${to}`);
    database.close();
  }

  test('a step forward that cannot be stored does not happen', async () => {
    rename('session_states', 'elsewhere');
    await expect(records.starting(session)).rejects.toThrow();
    expect(session.state).toBe('creating');
    await expect(records.sending(session).then(async () => records.starting(session))).rejects.toThrow();
    rename('elsewhere', 'session_states');
    await records.starting(session);
    expect(session.state).toBe('starting');
    expect((await store.sessions.get(session.id))?.state).toBe('starting');
  });

  test('an end is seen at once and stored as soon as that works, in order', async () => {
    rename('session_states', 'elsewhere');
    const exit = { code: 3, signal: null, lastOutput: ['the end'] };
    expect(records.end(session, 'stopping', 'because', exit)).toBe(true);
    expect(records.end(session, 'stopped', 'because')).toBe(true);
    expect(records.end(session, 'stopped', 'again')).toBe(false);
    records.message(session, { state: 'failed', at: new Date(), reason: 'too late' });
    expect(session.state).toBe('stopped');
    await expect.poll(() => logged.length).toBeGreaterThan(0);
    rename('elsewhere', 'session_states');
    await records.settled(session.id);
    const record = await store.sessions.get(session.id);
    expect(record).toMatchObject({ state: 'stopped', reason: 'because', exit, message: { state: 'failed' } });
    expect(record?.history.map(({ state }) => state)).toEqual(['creating', 'stopping', 'stopped']);
    expect(record?.history).toEqual(session.history);
  });

  test('closing waits for what can be stored, and not for what cannot', async () => {
    rename('session_states', 'elsewhere');
    records.end(session, 'failed', 'because');
    await records.close();
    expect(logged.join('')).toContain('a change of a session could not be stored');
    rename('elsewhere', 'session_states');
  });

  test('the last use is stored once for each change', async () => {
    const at = new Date(Date.now() + 60_000);
    session.touch(at);
    await records.saveUses([session]);
    expect((await store.sessions.get(session.id))?.updatedAt).toEqual(at);
    await store.sessions.touch(new Map([[session.id, new Date(at.getTime() + 1_000)]]));
    await records.saveUses([session]);
    expect((await store.sessions.get(session.id))?.updatedAt.getTime()).toBe(at.getTime() + 1_000);
  });
});
