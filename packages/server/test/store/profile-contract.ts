import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RepositoryEntry } from '../../src/profiles/profile.ts';
import { newProfile, newSession, type TestEngine } from './stores.ts';

const NOW = new Date('2026-01-01T12:00:00.123Z');
const LATER = new Date('2026-01-02T12:00:00Z');

function repository(url: string): RepositoryEntry {
  return { id: randomUUID(), url, name: url, branch: null, lastCommit: null, metadata: {}, accessedAt: NOW };
}

export function profileContract(engine: TestEngine): void {
  describe('profiles', () => {
    test('PX-210: a profile comes back whole after the store was closed and opened', async () => {
      await using site = await engine.site();
      const profile = newProfile({
        description: 'what for',
        environment: { TOKEN: 'geheim', EMPTY: '' },
        repositoryHistory: [
          { ...repository('https://host/a/b'), branch: 'main', lastCommit: 'abc', metadata: { k: 'v' } },
        ],
        systemPrompt: 'Be brief.',
        messageTemplates: [
          {
            id: randomUUID(),
            name: 'review',
            content: 'Review {{file}}',
            variables: ['file'],
            category: 'daily',
            metadata: { a: 'b' },
            createdAt: NOW,
          },
        ],
        agent: 'claude',
        agentArgs: ['--model', 'opus'],
        repository: 'a/b',
        isDefault: true,
        lastUsedAt: LATER,
      });
      {
        await using store = await site.open();
        expect(await store.profiles.insert(profile)).toEqual({ ...profile, version: 1 });
        await expect(store.profiles.insert(profile)).rejects.toMatchObject({ kind: 'conflict' });
      }
      await using store = await site.open();
      expect(await store.profiles.get(profile.id)).toEqual({ ...profile, version: 1 });
      expect(await store.profiles.getDefault('alice')).toEqual({ ...profile, version: 1 });
      expect(await store.profiles.get(randomUUID())).toBeNull();
    });

    test('everybody has their own profiles, oldest first', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const second = newProfile({ createdAt: LATER });
      const first = newProfile({ createdAt: NOW });
      const bobs = newProfile({ userId: 'bob', createdAt: LATER });
      for (const profile of [second, first, bobs]) await store.profiles.insert(profile);
      const idsOf = (profiles: readonly { readonly id: string }[]): readonly string[] =>
        profiles.map((profile) => profile.id);
      expect(idsOf(await store.profiles.listByOwner('alice'))).toEqual([first.id, second.id]);
      expect(idsOf(await store.profiles.listByOwner('nobody'))).toEqual([]);
      expect(await store.profiles.listAll()).toHaveLength(3);
      expect(await store.profiles.getDefault('alice')).toBeNull();
    });

    test('of many added at once, through two connections, as many are taken as a user may have', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await using other = await site.open();
      await store.profiles.insert(newProfile({ userId: 'bob' }));
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          (index % 2 === 0 ? store : other).profiles.insertWithin(newProfile({ isDefault: true }), 5),
        ),
      );
      expect(results.filter((profile) => profile !== null)).toHaveLength(5);
      const alices = await store.profiles.listByOwner('alice');
      expect(alices).toHaveLength(5);
      expect(await store.profiles.insertWithin(newProfile(), 5)).toBeNull();
      expect(await store.profiles.insertWithin(newProfile({ userId: 'bob' }), 5)).not.toBeNull();
      await store.profiles.delete(alices[0]?.id ?? '');
      expect(await store.profiles.insertWithin(newProfile(), 5)).toMatchObject({ version: 1 });
    });

    test('PX-209: 50 additions at once, through two connections, are 50 entries', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await using other = await site.open();
      const { id } = await store.profiles.insert(newProfile());
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (index % 2 === 0 ? store : other).profiles.edit(id, (present) => ({
            repositoryHistory: [...present.repositoryHistory, repository(`https://host/${index}`)],
          })),
        ),
      );
      const profile = await store.profiles.get(id);
      expect(new Set(profile?.repositoryHistory.map((entry) => entry.url)).size).toBe(50);
      expect(profile?.version).toBe(51);
    });

    test('DF-39: an edit of an outdated version is a conflict and changes nothing', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const { id } = await store.profiles.insert(newProfile({ name: 'one' }));
      expect(await store.profiles.edit(id, () => ({ name: 'two' }), 1)).toMatchObject({
        kind: 'updated',
        profile: { name: 'two', version: 2 },
      });
      expect(await store.profiles.edit(id, () => ({ name: 'three' }), 1)).toEqual({
        kind: 'conflict',
        version: 2,
      });
      expect(await store.profiles.delete(id, 1)).toEqual({ kind: 'conflict', version: 2 });
      expect(await store.profiles.get(id)).toMatchObject({ name: 'two' });
      const refusal = new Error('no');
      const refuse = (): never => {
        throw refusal;
      };
      await expect(store.profiles.edit(id, refuse)).rejects.toBe(refusal);
      expect(await store.profiles.get(id)).toMatchObject({ name: 'two', version: 2 });
      expect(await store.profiles.delete(id, 2)).toEqual({ kind: 'deleted' });
      expect(await store.profiles.delete(id)).toEqual({ kind: 'missing' });
      expect(await store.profiles.edit(id, () => ({}))).toEqual({ kind: 'missing' });
    });

    test('a user has one default at most, whoever asks for it and however many at once', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const bobs = await store.profiles.insert(newProfile({ userId: 'bob', isDefault: true }));
      const profiles = await Promise.all(
        Array.from({ length: 8 }, () => store.profiles.insert(newProfile({ isDefault: true }))),
      );
      const defaults = async (): Promise<readonly string[]> =>
        (await store.profiles.listByOwner('alice')).flatMap(({ id, isDefault }) => (isDefault ? [id] : []));
      expect(await defaults()).toHaveLength(1);
      const [first] = profiles;
      if (first === undefined) throw new Error('no profile');
      await store.profiles.edit(first.id, () => ({ isDefault: true }));
      expect(await defaults()).toEqual([first.id]);
      await store.profiles.edit(first.id, () => ({ isDefault: false }));
      expect(await store.profiles.getDefault('alice')).toBeNull();
      expect(await store.profiles.getDefault('bob')).toMatchObject({ id: bobs.id });
    });

    test('PX-206: a use is noted and is no edit', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const { id } = await store.profiles.insert(newProfile());
      expect(await store.profiles.markUsed(id, LATER)).toBe(true);
      expect(await store.profiles.get(id)).toMatchObject({ lastUsedAt: LATER, updatedAt: LATER, version: 1 });
      expect(await store.profiles.markUsed(randomUUID(), LATER)).toBe(false);
    });

    test('PX-212: a session keeps what it was started with when the profile changes', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const profile = await store.profiles.insert(newProfile({ environment: { A: 'before' } }));
      const session = newSession();
      await store.sessions.insert({
        ...session,
        start: { ...session.start, environment: profile.environment },
      });
      await store.profiles.edit(profile.id, () => ({ environment: { A: 'after' } }));
      await store.profiles.delete(profile.id);
      expect((await store.sessions.readSecrets(session.facts.id))?.environment).toEqual({ A: 'before' });
    });

    test('any text in lists, maps and prompts comes back as it was', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\0'));
      const map = fc.dictionary(text, text, { maxKeys: 4 });
      await fc.assert(
        fc.asyncProperty(map, text, fc.array(text), async (metadata, content, list) => {
          const profile = newProfile({
            environment: metadata,
            systemPrompt: content,
            agentArgs: list,
            repositoryHistory: list.map((url) => ({ ...repository(url), metadata, branch: content })),
            messageTemplates: [
              {
                id: content,
                name: content,
                content,
                variables: list,
                category: content,
                metadata,
                createdAt: NOW,
              },
            ],
          });
          await store.profiles.insert(profile);
          expect(await store.profiles.get(profile.id)).toEqual({ ...profile, version: 1 });
        }),
        { numRuns: 40 },
      );
    });
  });
}
