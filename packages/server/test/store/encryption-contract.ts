import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { configuredKeys, KeyFile } from '../../src/store/key-source.ts';
import type { KeySource } from '../../src/store/key-source.ts';
import type { Store } from '../../src/store/store.ts';
import { newProfile, newSession, type Site, type TestEngine } from './stores.ts';

const NOW = new Date('2026-01-01T12:00:00Z');

function givenKeys(text: string): KeySource {
  return configuredKeys({ key: new Secret(text), keyFile: undefined, dataDir: '/nowhere' });
}

function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** Fills a store with sealed values of every column. */
async function fill(store: Store, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const session = newSession({
      start: { ...newSession().start, environment: { SECRET: `environment ${index}` } },
      message: `message ${index}`,
    });
    const { id } = session.facts;
    await store.sessions.insert(session);
    await store.sessions.saveRun(id, null, `token ${index}`);
    const exit = { code: 0, signal: null, lastOutput: [`output ${index}`] };
    await store.sessions.transition(id, ['creating'], 'stopped', { at: NOW, exit });
    await store.profiles.insert(newProfile({ id, environment: { SECRET: `profile ${index}` } }));
    ids.push(id);
  }
  return ids;
}

async function expectFilled(store: Store, ids: readonly string[]): Promise<void> {
  for (const [index, id] of ids.entries()) {
    expect(await store.sessions.readSecrets(id)).toMatchObject({
      environment: { SECRET: `environment ${index}` },
      message: `message ${index}`,
      token: `token ${index}`,
    });
    expect(await store.sessions.get(id)).toMatchObject({ exit: { lastOutput: [`output ${index}`] } });
    expect(await store.profiles.get(id)).toMatchObject({ environment: { SECRET: `profile ${index}` } });
  }
}

async function keyIdsInUse(site: Site): Promise<readonly string[]> {
  const { db } = site.engine();
  try {
    const { rows } = await sql<{ key_id: string }>`
      select distinct substr(start_sealed, 4, 8) as key_id from sessions
      union select distinct substr(private_sealed, 4, 8) from profiles`.execute(db);
    return rows.map((row) => row.key_id);
  } finally {
    await db.destroy();
  }
}

export function encryptionContract(engine: TestEngine): void {
  describe('encryption', () => {
    test('PX-170, PX-208, DF-10: no secret is at rest in clear', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const canary = (name: string): string => `canary-${name}-${randomUUID()}`;
      const secrets = [
        'env',
        'agent',
        'arg',
        'prompt',
        'message',
        'token',
        'output',
        'profile',
        'system',
        'flag',
      ].map(canary);
      const [env = '', agent = '', arg = '', prompt = '', message = '', token = '', output = ''] = secrets;
      const [profile = '', system = '', flag = ''] = secrets.slice(7);
      const session = newSession({
        start: {
          environment: { PLAIN: env },
          agent: { command: 'agent', args: [agent], env: {} },
          agentArgs: [arg],
          systemPrompt: prompt,
        },
        message,
      });
      await store.sessions.insert(session);
      await store.sessions.saveRun(session.facts.id, null, token);
      const exit = { code: 0, signal: null, lastOutput: [output] };
      await store.sessions.transition(session.facts.id, ['creating'], 'stopped', { at: NOW, exit });
      await store.profiles.insert(
        newProfile({
          description: 'visible-text',
          environment: { PLAIN: profile },
          systemPrompt: system,
          agentArgs: [flag],
        }),
      );
      const bytes = await site.atRest();
      // The search itself works.
      expect(bytes.includes('visible-text')).toBe(true);
      expect(secrets.filter((secret) => bytes.includes(secret))).toEqual([]);
    });

    test('PX-170: equal values have different ciphertexts', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      for (let index = 0; index < 3; index += 1) await store.sessions.insert(newSession({ message: 'same' }));
      const { db } = site.engine();
      const { rows } = await sql<{ start_sealed: string; message_sealed: string }>`
        select start_sealed, message_sealed from sessions`.execute(db);
      await db.destroy();
      expect(new Set(rows.map((row) => row.start_sealed)).size).toBe(3);
      expect(new Set(rows.map((row) => row.message_sealed)).size).toBe(3);
    });

    test('PX-170: a changed or moved ciphertext is detected and never handed out', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const [a, b] = await fill(store, 2);
      if (a === undefined || b === undefined) throw new Error('no sessions');
      const { db } = site.engine();
      const { rows } = await sql<Record<'id' | 'start_sealed' | 'token_sealed', string>>`
        select id, start_sealed, token_sealed from sessions`.execute(db);
      const envelopes = new Map(rows.map((row) => [row.id, row]));
      const attempt = async (column: string, value: string | undefined): Promise<void> => {
        await sql`update sessions set ${sql.ref(column)} = ${value} where id = ${a}`.execute(db);
        await expect(store.sessions.readSecrets(a)).rejects.toMatchObject({
          name: 'StoreError',
          kind: 'corrupt',
          message: expect.stringContaining(`of ${a}`),
        });
      };
      const sealed = envelopes.get(a)?.start_sealed ?? '';
      await attempt('start_sealed', envelopes.get(b)?.start_sealed);
      await attempt('start_sealed', envelopes.get(a)?.token_sealed);
      await attempt(
        'start_sealed',
        `${sealed.slice(0, 40)}${sealed[40] === 'A' ? 'B' : 'A'}${sealed.slice(41)}`,
      );
      await attempt('start_sealed', sealed.slice(0, -4));
      await attempt('start_sealed', 'plain text');
      await db.destroy();
    });

    test('a new store makes a key file of its own, mode 0600, and finds it again', async () => {
      await using site = await engine.site();
      let ids: readonly string[];
      {
        await using store = await site.open();
        ids = await fill(store, 1);
      }
      expect((await stat(site.keys.path)).mode & 0o777).toBe(0o600);
      await using store = await site.open();
      await expectFilled(store, ids);
    });

    test('PX-171: a wrong key is refused at start, with both ids and the source; nothing changes', async () => {
      await using site = await engine.site();
      const right = newKey();
      let ids: readonly string[];
      {
        await using store = await site.open(givenKeys(right));
        ids = await fill(store, 1);
      }
      await expect(site.open(givenKeys(newKey()))).rejects.toMatchObject({
        name: 'StoreError',
        kind: 'key',
        message: expect.stringMatching(
          /sealed with the encryption key [0-9a-f]{8}, but encryption\.key \(AGENTAPI_PROXY_ENCRYPTION_KEY\) has only [0-9a-f]{8}.*Nothing was changed/,
        ),
      });
      await using store = await site.open(givenKeys(right));
      await expectFilled(store, ids);
    });

    test('a lost key file is refused at start; no other one is made in its place', async () => {
      await using site = await engine.site();
      {
        await using store = await site.open();
        await store.sessions.insert(newSession());
      }
      await rm(site.keys.path);
      await expect(site.open()).rejects.toMatchObject({
        kind: 'key',
        message: expect.stringContaining(`The encryption key file ${site.keys.path} is missing`),
      });
      await expect(stat(site.keys.path)).rejects.toMatchObject({ code: 'ENOENT' });
      const other = new KeyFile(join(site.folder, 'named.key'), false);
      await expect(site.open(other)).rejects.toMatchObject({
        kind: 'key',
        message: expect.stringMatching(/There is no encryption key file .*openssl rand -base64 32/),
      });
    });

    test('keys that are none, or readable by others, are refused without being quoted', async () => {
      await using site = await engine.site();
      const given = 'this-is-not-a-key';
      await expect(site.open(givenKeys(given))).rejects.toMatchObject({
        kind: 'key',
        message: expect.not.stringContaining(given),
      });
      await expect(site.open(givenKeys(' '))).rejects.toMatchObject({ kind: 'key' });
      await writeFile(site.keys.path, `${newKey()}\n${given}\n`, { mode: 0o600 });
      await expect(site.open()).rejects.toMatchObject({
        kind: 'key',
        message: expect.stringMatching(/^Encryption key 2 in the file .*found 17 characters/),
      });
      await writeFile(site.keys.path, `# made by hand\n\n  ${newKey()}\n`);
      await chmod(site.keys.path, 0o644);
      await expect(site.open()).rejects.toMatchObject({
        message: expect.stringContaining(`chmod 600 ${site.keys.path}`),
      });
      await chmod(site.keys.path, 0o640);
      await using store = await site.open();
      await store.ping();
    });

    test('a key may be written in base64, base64url or hexadecimal', async () => {
      await using site = await engine.site();
      const bytes = randomBytes(32);
      let ids: readonly string[];
      {
        await using store = await site.open(givenKeys(bytes.toString('base64')));
        ids = await fill(store, 1);
      }
      for (const text of [
        bytes.toString('hex'),
        bytes.toString('base64url'),
        bytes.toString('hex').toUpperCase(),
      ]) {
        await using store = await site.open(givenKeys(text));
        await expectFilled(store, ids);
      }
    });

    test('with several keys the last one seals and all open', async () => {
      await using site = await engine.site();
      const [first, second] = [newKey(), newKey()];
      let ids: readonly string[];
      {
        await using store = await site.open(givenKeys(first));
        ids = await fill(store, 1);
      }
      await using store = await site.open(givenKeys(`${first},${second}`));
      await expectFilled(store, ids);
      await fill(store, 1);
      expect(await keyIdsInUse(site)).toHaveLength(2);
      expect(await store.needsReseal()).toBe(true);
      await expect(store.rotateKeys()).rejects.toMatchObject({
        kind: 'key',
        message: expect.stringContaining('append one to its value'),
      });
      const report = await store.reseal();
      expect(report).toMatchObject({ resealed: 5, unreadable: [], retired: [expect.any(String)] });
      await expectFilled(store, ids);
      // The first key is not needed any more.
      await using later = await site.open(givenKeys(second));
      await expectFilled(later, ids);
    });

    test('a rotation seals everything anew while the store is in use', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const ids = await fill(store, 60);
      const before = await keyIdsInUse(site);
      const rotated = new AbortController();
      const writer = async (): Promise<readonly string[]> => {
        const added: string[] = [];
        while (!rotated.signal.aborted) {
          const session = newSession({ message: 'meanwhile' });
          await store.sessions.insert(session);
          await store.sessions.saveRun(ids[0] ?? '', null, 'token 0');
          await store.profiles.edit(ids[1] ?? '', (present) => ({ environment: present.environment }));
          added.push(session.facts.id);
          // As requests do: SQLite answers without leaving this turn of the event loop.
          await nextTurn();
        }
        return added;
      };
      const writing = writer();
      const progress: number[] = [];
      const report = await store.rotateKeys({ onProgress: (resealed) => progress.push(resealed) });
      rotated.abort();
      const added = await writing;
      expect(report.unreadable).toEqual([]);
      expect(report.retired).toEqual(before);
      expect(report.resealed).toBeGreaterThan(60 * 4);
      expect(progress.at(-1)).toBe(report.resealed);
      const after = await keyIdsInUse(site);
      expect(after).toHaveLength(1);
      expect(after).not.toEqual(before);
      await expectFilled(store, ids);
      for (const id of added)
        expect(await store.sessions.readSecrets(id)).toMatchObject({ message: 'meanwhile' });
      expect(await store.needsReseal()).toBe(false);
      expect((await readFile(site.keys.path, 'utf8')).trim().split('\n')).toHaveLength(2);
      await using later = await site.open();
      await expectFilled(later, ids);
    });

    test('an interrupted rotation goes on where it was', async () => {
      await using site = await engine.site();
      let ids: readonly string[];
      let first: number;
      {
        await using store = await site.open();
        ids = await fill(store, 150);
        const stop = new AbortController();
        const progress: number[] = [];
        const attempt = store.rotateKeys({
          signal: stop.signal,
          onProgress: (resealed) => {
            progress.push(resealed);
            stop.abort(new Error('interrupted'));
          },
        });
        await expect(attempt).rejects.toThrow('interrupted');
        first = progress.at(-1) ?? 0;
        expect(first).toBeGreaterThan(0);
      }
      await using store = await site.open();
      expect(await store.needsReseal()).toBe(true);
      await expectFilled(store, ids);
      const report = await store.reseal();
      expect(report.resealed).toBe(150 * 5 - first);
      expect(report.retired).toHaveLength(1);
      await expectFilled(store, ids);
    });

    test('a rotation reports what no key opens, and keeps the old keys needed', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const [id = '', other = ''] = await fill(store, 2);
      const { db } = site.engine();
      await sql`update sessions set token_sealed = (select token_sealed from sessions where id = ${other}) where id = ${id}`.execute(
        db,
      );
      await db.destroy();
      const report = await store.rotateKeys();
      expect(report).toMatchObject({ resealed: 9, unreadable: [`sessions.token of ${id}`], retired: [] });
      expect(await store.needsReseal()).toBe(true);
    });

    test('another server follows a rotation, and seals with the new key from then on', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await using other = await site.open();
      const ids = await fill(store, 2);
      expect(await other.followKeys()).toBe(false);
      await store.rotateKeys();
      const [newKeyId] = await keyIdsInUse(site);
      // It can read by now, which must not be taken for having followed.
      await expectFilled(other, ids);
      await other.sessions.insert(newSession());
      expect(await keyIdsInUse(site)).toHaveLength(2);
      expect(await other.followKeys()).toBe(true);
      expect(await other.followKeys()).toBe(false);
      expect((await other.reseal()).resealed).toBeGreaterThan(0);
      await other.sessions.insert(newSession());
      expect(await keyIdsInUse(site)).toEqual([newKeyId]);
    });

    test('a server that has not got the newer key says so and goes on with its own', async () => {
      await using site = await engine.site();
      const [first, second] = [newKey(), newKey()];
      await using store = await site.open(givenKeys(first));
      await using other = await site.open(givenKeys(`${first},${second}`));
      expect(await other.needsReseal()).toBe(true);
      await expect(store.followKeys()).rejects.toMatchObject({ kind: 'key' });
      const session = newSession({ message: 'goes on' });
      await store.sessions.insert(session);
      expect(await other.sessions.readSecrets(session.facts.id)).toMatchObject({ message: 'goes on' });
    });

    test('another server opens what was sealed with a key that it has not read yet', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await using other = await site.open();
      const ids = await fill(store, 2);
      await store.rotateKeys();
      await expectFilled(other, ids);
      // Its own writes still need the key it was started with; a restart without that key must not pass.
      await other.sessions.insert(newSession());
      const [, newest = ''] = (await readFile(site.keys.path, 'utf8')).trim().split('\n');
      await expect(site.open(givenKeys(newest))).rejects.toMatchObject({ kind: 'key' });
      await other.reloadKeys();
      await other.reseal();
      await using later = await site.open(givenKeys(newest));
      await expectFilled(later, ids);
    });
  });
}
