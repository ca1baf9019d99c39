import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SessionState } from '../../src/sessions/session.ts';
import type { SessionCursor, SessionFilter } from '../../src/store/session-record.ts';
import type { Store } from '../../src/store/store.ts';
import { newSession, type TestEngine } from './stores.ts';

const NOW = new Date('2026-01-01T12:00:00.123Z');

function minutesLater(minutes: number): Date {
  return new Date(NOW.getTime() + minutes * 60_000);
}

async function idsOf(store: Store, filter: SessionFilter): Promise<readonly string[]> {
  return (await store.sessions.list(filter)).sessions.map((session) => session.facts.id);
}

export function sessionContract(engine: TestEngine): void {
  describe('sessions', () => {
    test('PX-167: an inserted session is there with all its facts, for another connection, too', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const session = newSession({
        facts: {
          tags: { repository: 'a/b', 'ключ 🔑': '' },
          environmentNames: ['A', 'B'],
          profileId: 'p',
          createdAt: NOW,
        },
        port: 9123,
        message: 'hello',
      });
      await store.sessions.insert(session);
      await using other = await site.open();
      expect(await other.sessions.get(session.facts.id)).toEqual({
        facts: session.facts,
        instanceId: 'instance-1',
        state: 'creating',
        reason: null,
        updatedAt: NOW,
        port: 9123,
        history: [{ state: 'creating', at: NOW }],
        exit: null,
        message: { state: 'pending' },
        run: null,
      });
      expect(await other.sessions.get(randomUUID())).toBeNull();
      expect(await other.sessions.readSecrets(randomUUID())).toBeNull();
    });

    test('an id that is taken is a conflict and changes nothing', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const session = newSession({ facts: { tags: { a: '1' } } });
      await store.sessions.insert(session);
      const twin = newSession({ facts: { id: session.facts.id, ownerId: 'bob', tags: { b: '2' } } });
      await expect(store.sessions.insert(twin)).rejects.toMatchObject({
        name: 'StoreError',
        kind: 'conflict',
      });
      expect((await store.sessions.get(session.facts.id))?.facts.ownerId).toBe('alice');
      expect(await store.sessions.count({ tags: new Map([['b', '2']]) })).toBe(0);
    });

    test('a restart finds what it needs to attach or resume: run, token, environment, agent, message', async () => {
      await using site = await engine.site();
      const run = { pid: 4711, startTime: '123456789', bootId: randomUUID(), port: 9007 };
      const session = newSession({
        start: {
          environment: { KEY: 'value', EMPTY: '' },
          agent: { command: '/bin/agent', args: ['--flag', 'a b'], env: { X: 'y' } },
          agentArgs: ['--more'],
          systemPrompt: 'Be brief.',
        },
        message: 'first\nmessage',
      });
      {
        await using store = await site.open();
        await store.sessions.insert(session);
        expect(await store.sessions.saveRun(session.facts.id, run, 'token-1')).toBe(true);
      }
      await using store = await site.open();
      expect(await store.sessions.listOpen('instance-1')).toMatchObject([{ run, port: 9007 }]);
      expect(await store.sessions.readSecrets(session.facts.id)).toEqual({
        ...session.start,
        message: 'first\nmessage',
        token: 'token-1',
      });
      expect(await store.sessions.saveRun(session.facts.id, null, null)).toBe(true);
      expect(await store.sessions.get(session.facts.id)).toMatchObject({ run: null, port: 9007 });
      expect(await store.sessions.readSecrets(session.facts.id)).toMatchObject({ token: null });
      expect(await store.sessions.saveRun(randomUUID(), run, null)).toBe(false);
    });

    test('a transition happens only from the expected states, and leaves a line of history', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const { facts } = newSession({ facts: { createdAt: NOW } });
      await store.sessions.insert(newSession({ facts }));
      const { sessions } = store;
      expect(await sessions.transition(facts.id, ['creating'], 'starting', { at: minutesLater(1) })).toBe(
        true,
      );
      expect(await sessions.transition(facts.id, ['creating'], 'failed', { at: minutesLater(2) })).toBe(
        false,
      );
      expect(await sessions.transition(facts.id, [], 'failed', { at: minutesLater(2) })).toBe(false);
      expect(await sessions.transition(randomUUID(), ['creating'], 'failed', { at: NOW })).toBe(false);
      const exit = { code: null, signal: 'SIGKILL', lastOutput: ['one', 'two'] };
      const change = { at: minutesLater(3), reason: 'The agent was ended', exit, port: 9555 };
      expect(await sessions.transition(facts.id, ['creating', 'starting'], 'failed', change)).toBe(true);
      expect(await sessions.get(facts.id)).toMatchObject({
        state: 'failed',
        reason: 'The agent was ended',
        updatedAt: minutesLater(3),
        port: 9555,
        exit,
        history: [
          { state: 'creating', at: NOW },
          { state: 'starting', at: minutesLater(1) },
          { state: 'failed', at: minutesLater(3), reason: 'The agent was ended' },
        ],
      });
      await sessions.transition(facts.id, ['failed'], 'creating', { at: minutesLater(4), exit: null });
      expect(await sessions.get(facts.id)).toMatchObject({ state: 'creating', reason: null, exit: null });
    });

    test('of many at once who want the same transition exactly one gets it', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      await using other = await site.open();
      const session = newSession();
      await store.sessions.insert(session);
      const attempts = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).sessions.transition(session.facts.id, ['creating'], 'stopping', {
          at: NOW,
          reason: `attempt ${index}`,
        }),
      );
      expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
      expect((await store.sessions.get(session.facts.id))?.history).toHaveLength(2);
    });

    test('DF-26: many sessions end in one step, each with its line of history, those in another state not', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const all = Array.from({ length: 5 }, () => newSession({ facts: { createdAt: NOW } }));
      for (const session of all) await store.sessions.insert(session);
      const ids = all.map(({ facts }) => facts.id);
      const [first = '', second = ''] = ids;
      await store.sessions.transition(first, ['creating'], 'failed', { at: NOW });
      await store.sessions.transition(second, ['creating'], 'starting', { at: NOW });
      const change = { at: minutesLater(1), reason: 'power cut' };
      const from: SessionState[] = ['creating', 'starting'];
      const moved = await store.sessions.transitionAll([...ids, randomUUID()], from, 'stopped', change);
      expect(moved).toEqual(new Set(ids.slice(1)));
      expect((await store.sessions.get(first))?.state).toBe('failed');
      expect(await store.sessions.get(second)).toMatchObject({
        state: 'stopped',
        reason: 'power cut',
        updatedAt: change.at,
        history: [{ state: 'creating' }, { state: 'starting' }, { state: 'stopped', ...change }],
      });
      expect((await store.sessions.transitionAll(ids, from, 'stopped', change)).size).toBe(0);
      expect((await store.sessions.transitionAll([], from, 'stopped', change)).size).toBe(0);
      expect((await store.sessions.get(second))?.history).toHaveLength(3);
    });

    test('a session that has ended can be opened again, by one of many, and knows nothing of its process', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const { sessions } = store;
      const session = newSession();
      const { id } = session.facts;
      await sessions.insert(session);
      const change = { at: NOW, reason: 'resumed', port: 9200, agentServer: 'external' } as const;
      expect(await sessions.reopen(id, change)).toBe(false);
      await sessions.saveRun(id, { pid: 1, startTime: '2', bootId: 'b', port: 9100 }, 'token');
      const exit = { code: 1, signal: null, lastOutput: [] };
      await sessions.transition(id, ['creating'], 'failed', { at: NOW, reason: 'because', exit });
      const attempts = Array.from({ length: 10 }, async () => sessions.reopen(id, change));
      expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
      const record = await sessions.get(id);
      expect(record).toMatchObject({
        state: 'creating',
        reason: 'resumed',
        exit: null,
        run: null,
        port: 9200,
      });
      expect(record?.facts.agentServer).toBe('external');
      expect(record?.history.map(({ state }) => state)).toEqual(['creating', 'failed', 'creating']);
      expect((await sessions.readSecrets(id))?.token).toBeNull();
    });

    test('sessions of another data folder can be taken over, without their processes', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const [theirs, ours] = [newSession({ instanceId: 'theirs' }), newSession({ instanceId: 'ours' })];
      await store.sessions.insert(theirs);
      await store.sessions.insert(ours);
      await store.sessions.saveRun(
        theirs.facts.id,
        { pid: 1, startTime: '2', bootId: 'b', port: 9 },
        'token',
      );
      expect(await store.sessions.claimAll('ours')).toBe(1);
      expect(await store.sessions.claimAll('ours')).toBe(0);
      expect(await store.sessions.listOpen('ours')).toHaveLength(2);
      expect((await store.sessions.get(theirs.facts.id))?.run).toBeNull();
    });

    test('of many ids those that are sessions are told apart', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const known = [newSession(), newSession()];
      for (const session of known) await store.sessions.insert(session);
      const strangers = Array.from({ length: 1500 }, () => randomUUID());
      const ids = known.map(({ facts }) => facts.id);
      expect(await store.sessions.findKnown([...strangers, ...ids])).toEqual(new Set(ids));
      expect(await store.sessions.findKnown([])).toEqual(new Set());
    });

    test('DF-36: a first message is kept until it was delivered, and claimed by one sender only', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const session = newSession({ message: 'do it' });
      const { id } = session.facts;
      await store.sessions.insert(session);
      const claims = await Promise.all(
        [1, 2, 3].map(() => store.sessions.markMessage(id, ['pending'], { state: 'sending', at: NOW })),
      );
      expect(claims.filter(Boolean)).toHaveLength(1);
      expect(await store.sessions.get(id)).toMatchObject({ message: { state: 'sending', at: NOW } });
      expect(await store.sessions.readSecrets(id)).toMatchObject({ message: 'do it' });
      const failed = { state: 'failed', at: NOW, reason: 'refused' } as const;
      expect(await store.sessions.markMessage(id, ['sending'], failed)).toBe(true);
      expect(await store.sessions.get(id)).toMatchObject({ message: failed });
      expect(await store.sessions.markMessage(id, ['failed'], { state: 'pending' })).toBe(true);
      expect(await store.sessions.get(id)).toMatchObject({ message: { state: 'pending' } });
      expect(await store.sessions.markMessage(id, ['pending'], { state: 'delivered', at: NOW })).toBe(true);
      expect(await store.sessions.markMessage(id, ['pending'], { state: 'sending', at: NOW })).toBe(false);
      expect(await store.sessions.readSecrets(id)).toMatchObject({ message: null });

      const silent = newSession();
      await store.sessions.insert(silent);
      expect(
        await store.sessions.markMessage(silent.facts.id, ['pending'], { state: 'sending', at: NOW }),
      ).toBe(false);
      expect(await store.sessions.get(silent.facts.id)).toMatchObject({ message: null });
    });

    test('PX-115, PX-122: lists are newest first, equal times by id, and pages neither repeat nor skip', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const expected: { readonly id: string; readonly at: number }[] = [];
      for (let index = 0; index < 23; index += 1) {
        const session = newSession({ facts: { createdAt: minutesLater(Math.floor(index / 5)) } });
        await store.sessions.insert(session);
        expected.push({ id: session.facts.id, at: session.facts.createdAt.getTime() });
      }
      expected.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
      const found: string[] = [];
      let cursor: SessionCursor | null = null;
      let pages = 0;
      do {
        const page = await store.sessions.list({}, 4, cursor);
        found.push(...page.sessions.map((session) => session.facts.id));
        cursor = page.next;
        pages += 1;
        // What comes later is newer and must not disturb the pages that follow.
        await store.sessions.insert(newSession({ facts: { createdAt: minutesLater(100) } }));
      } while (cursor !== null);
      expect(found).toEqual(expected.map(({ id }) => id));
      expect(pages).toBe(6);
      expect((await store.sessions.list({}, 29)).next).toBeNull();
      expect((await store.sessions.list({}, 28)).next).not.toBeNull();
      expect((await store.sessions.list()).sessions).toHaveLength(29);
    });

    test('filters by state, owner, shares and tags are combined with AND', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const add = async (id: string, ownerId: string, tags: Record<string, string>): Promise<string> => {
        const session = newSession({ facts: { ownerId, tags, createdAt: minutesLater(Number(id.at(-1))) } });
        await store.sessions.insert(session);
        return session.facts.id;
      };
      const a = await add('1', 'alice', { team: 'x', kind: 'bug' });
      const b = await add('2', 'alice', { team: 'x' });
      const c = await add('3', 'bob', { team: 'x', kind: 'bug' });
      await store.sessions.transition(b, ['creating'], 'stopped', { at: NOW });

      expect(await idsOf(store, { states: new Set<SessionState>(['creating']) })).toEqual([c, a]);
      expect(await idsOf(store, { states: new Set<SessionState>() })).toEqual([]);
      expect(await idsOf(store, { ownerId: 'alice' })).toEqual([b, a]);
      expect(await idsOf(store, { tags: new Map([['kind', 'bug']]) })).toEqual([c, a]);
      const both = new Map([
        ['team', 'x'],
        ['kind', 'bug'],
      ]);
      expect(await idsOf(store, { tags: both, ownerId: 'alice' })).toEqual([a]);
      expect(await idsOf(store, { tags: new Map([['kind', 'BUG']]) })).toEqual([]);
      expect(await idsOf(store, { tags: new Map([['kind', '']]) })).toEqual([]);
      expect(await store.sessions.count({ tags: both })).toBe(2);

      const grant = { createdBy: 'alice', createdAt: NOW, access: 'read' } as const;
      const ends = minutesLater(10);
      await store.shares.grant({ ...grant, id: randomUUID(), sessionId: a, userId: 'bob', expiresAt: ends });
      await store.shares.grant({ ...grant, id: 'gone', sessionId: b, userId: 'bob', expiresAt: null });
      await store.shares.revokeGrant(b, 'gone', NOW);
      const seenByBob = (at: Date): SessionFilter => ({ visibleTo: { userId: 'bob', at } });
      expect(await idsOf(store, seenByBob(NOW))).toEqual([c, a]);
      expect(await idsOf(store, seenByBob(ends))).toEqual([c]);
      expect(await idsOf(store, { ...seenByBob(NOW), ownerId: 'alice' })).toEqual([a]);
    });

    test('PX-173: a deleted session is gone with its history, tags and shares', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const session = newSession({ facts: { tags: { a: '1' } } });
      const { id } = session.facts;
      await store.sessions.insert(session);
      const share = { sessionId: id, createdBy: 'alice', createdAt: NOW, expiresAt: minutesLater(5) };
      await store.shares.grant({ ...share, id: randomUUID(), userId: 'bob', access: 'read' });
      await store.shares.addLink({ ...share, id: randomUUID(), hash: 'f'.repeat(64) });
      expect(await store.sessions.delete(id)).toBe(true);
      expect(await store.sessions.delete(id)).toBe(false);
      expect(await store.sessions.get(id)).toBeNull();
      expect(await store.sessions.count({ tags: new Map([['a', '1']]) })).toBe(0);
      expect(await store.shares.listGrants(id)).toEqual([]);
      expect(await store.shares.findLink('f'.repeat(64), NOW)).toBeNull();
      // The same id again starts with a clean past.
      await store.sessions.insert(session);
      expect((await store.sessions.get(id))?.history).toHaveLength(1);
    });

    test('listOpen gives the sessions of one data folder that have not ended, oldest first', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const make = async (instanceId: string, minute: number, state: SessionState): Promise<string> => {
        const session = newSession({ instanceId, facts: { createdAt: minutesLater(minute) } });
        await store.sessions.insert(session);
        if (state !== 'creating')
          await store.sessions.transition(session.facts.id, ['creating'], state, {
            at: minutesLater(minute),
          });
        return session.facts.id;
      };
      const running = await make('one', 2, 'running');
      const creating = await make('one', 1, 'creating');
      const stopping = await make('one', 3, 'stopping');
      const stopped = await make('one', 4, 'stopped');
      const failed = await make('one', 5, 'failed');
      const foreign = await make('two', 6, 'running');
      const open = await store.sessions.listOpen('one');
      expect(open.map((session) => session.facts.id)).toEqual([creating, running, stopping]);
      expect(open.map((session) => session.history.length)).toEqual([1, 2, 2]);
      expect((await store.sessions.listOpen('two')).map((session) => session.facts.id)).toEqual([foreign]);
      expect(await store.sessions.listEndedBefore('one', minutesLater(5), 10)).toEqual([stopped]);
      expect(await store.sessions.listEndedBefore('one', minutesLater(60), 10)).toEqual([stopped, failed]);
      expect(await store.sessions.listEndedBefore('one', minutesLater(60), 1)).toEqual([stopped]);
    });

    test('uses only move the time of the last use forward', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const a = newSession({ facts: { createdAt: NOW } });
      const b = newSession({ facts: { createdAt: NOW } });
      await store.sessions.insert(a);
      await store.sessions.insert(b);
      await store.sessions.touch(new Map());
      await store.sessions.touch(
        new Map([
          [a.facts.id, minutesLater(5)],
          [b.facts.id, minutesLater(-5)],
          [randomUUID(), NOW],
        ]),
      );
      expect((await store.sessions.get(a.facts.id))?.updatedAt).toEqual(minutesLater(5));
      expect((await store.sessions.get(b.facts.id))?.updatedAt).toEqual(NOW);
    });

    test('any text comes back as it was, in tags, names, environment, message and output', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const text = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constant('\0'),
        fc.constant("'; drop table x; --"),
      );
      // Also names that mean something to JavaScript, such as __proto__.
      const map = fc.dictionary(fc.oneof(text, fc.string()), text, { maxKeys: 5 });
      await fc.assert(
        fc.asyncProperty(map, map, text, fc.array(text), async (tags, environment, message, lines) => {
          const session = newSession({
            facts: { tags, environmentNames: Object.keys(environment) },
            start: {
              environment,
              agent: { command: message, args: lines, env: tags },
              agentArgs: lines,
              systemPrompt: message,
            },
            message,
          });
          const { id } = session.facts;
          await store.sessions.insert(session);
          const exit = { code: 1, signal: null, lastOutput: lines };
          await store.sessions.transition(id, ['creating'], 'failed', { at: NOW, reason: message, exit });
          const found = await store.sessions.get(id);
          expect(found?.facts).toEqual(session.facts);
          expect(found?.exit).toEqual(exit);
          // A reason is a sentence of ours; NUL is the one character that it loses.
          expect(found?.reason).toBe(message.replaceAll('\0', '\u{fffd}'));
          expect(await store.sessions.readSecrets(id)).toEqual({ ...session.start, message, token: null });
          for (const [name, value] of Object.entries(tags)) {
            expect(await idsOf(store, { tags: new Map([[name, value]]) })).toContain(id);
          }
        }),
        { numRuns: 40 },
      );
    });

    test('tags may be longer than an index takes', async () => {
      await using site = await engine.site();
      await using store = await site.open();
      const value = randomUUID().repeat(2_000);
      const session = newSession({ facts: { tags: { long: value } } });
      await store.sessions.insert(session);
      expect(await idsOf(store, { tags: new Map([['long', value]]) })).toEqual([session.facts.id]);
      expect(await idsOf(store, { tags: new Map([['long', `${value}.`]]) })).toEqual([]);
    });
  });
}
