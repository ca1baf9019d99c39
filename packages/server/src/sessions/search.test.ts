import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { parseSearch, searchSessions } from './search.ts';
import { Session } from './session.ts';

function session(id: string, at: number, tags: Record<string, string> = {}, ownerId = 'alice'): Session {
  const facts = {
    id,
    ownerId,
    agent: 'demo',
    agentType: 'custom',
    agentServer: 'embedded' as const,
    tags,
    environmentNames: [],
    createdAt: new Date(at),
  };
  return new Session(facts, 9000);
}

function idsOf(sessions: readonly Session[], query: string): string[] {
  return searchSessions(sessions, parseSearch(new URLSearchParams(query))).sessions.map(({ id }) => id);
}

describe('search', () => {
  const all = [session('a', 1, { k: 'v', x: '1' }), session('b', 3, { k: 'v' }), session('c', 2, {}, 'bob')];

  test('PX-115: newest first', () => {
    expect(idsOf(all, '')).toEqual(['b', 'c', 'a']);
  });

  test('PX-122, DF-70: equal times have one order', () => {
    const equal = [session('b', 1), session('a', 1), session('c', 1)];
    expect(idsOf(equal, '')).toEqual(['a', 'b', 'c']);
    expect(idsOf(equal.toReversed(), '')).toEqual(['a', 'b', 'c']);
  });

  test('PX-116: status filters exactly, an empty one not at all', () => {
    expect(idsOf(all, 'status=active')).toHaveLength(3);
    expect(idsOf(all, 'status=zzz')).toEqual([]);
    expect(idsOf(all, 'status=')).toHaveLength(3);
  });

  test('PX-117, PX-118, PX-119: tags need name and value, are combined, decoded, and the first of a name counts', () => {
    expect(idsOf(all, 'tag.k=v')).toEqual(['b', 'a']);
    expect(idsOf(all, 'tag.k=v&tag.x=1')).toEqual(['a']);
    expect(idsOf(all, 'tag.k=nope')).toEqual([]);
    expect(idsOf(all, 'tag.zzz=v')).toEqual([]);
    expect(idsOf(all, 'tag.x=1&tag.x=2')).toEqual(['a']);
    expect(idsOf([session('a', 1, { 'a b': 'ü/1' })], 'tag.a%20b=%C3%BC%2F1')).toEqual(['a']);
    expect(idsOf(all, 'tag.constructor=x')).toEqual([]);
  });

  test('PX-120: parameters of other clients neither fail nor hide anything', () => {
    expect(idsOf(all, 'limit=1000&page=1&scope=user')).toHaveLength(3);
  });

  test('user_id filters by owner', () => {
    expect(idsOf(all, 'user_id=bob')).toEqual(['c']);
  });

  test('ended sessions are shown only when asked for', () => {
    const ended = session('f', 9);
    ended.transition('failed', 'because');
    expect(idsOf([...all, ended], '')).not.toContain('f');
    expect(idsOf([...all, ended], 'state=failed')).toEqual(['f']);
    expect(idsOf([...all, ended], 'state=failed,creating')).toHaveLength(4);
    expect(idsOf([...all, ended], 'state=all')).toHaveLength(4);
  });

  test.each(['limit=0', 'limit=x', 'limit=1.5', 'cursor=%%%', 'cursor=e30', 'state=running,nope'])(
    '%s is refused naming the parameter',
    (query) => {
      const [field = ''] = query.split('=');
      expect(() => parseSearch(new URLSearchParams(query))).toThrow(
        expect.objectContaining({ code: 'invalid_query', details: { field } }),
      );
    },
  );

  test('DF-69: the pages of any size put together are the whole list, in order and without doubles', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (times, limit) => {
        const sessions = times.map((at, index) => session(`s${String(index).padStart(2, '0')}`, at));
        const collected: string[] = [];
        let cursor: string | null = null;
        do {
          const query: string = cursor === null ? `limit=${limit}` : `limit=${limit}&cursor=${cursor}`;
          const page = searchSessions(sessions, parseSearch(new URLSearchParams(query)));
          expect(page.sessions.length).toBeLessThanOrEqual(limit);
          collected.push(...page.sessions.map(({ id }) => id));
          cursor = page.nextCursor;
        } while (cursor !== null);
        expect(collected).toEqual(idsOf(sessions, ''));
      }),
    );
  });

  test('any query gives a filter or the right error', () => {
    fc.assert(
      fc.property(fc.string(), (query) => {
        try {
          searchSessions(all, parseSearch(new URLSearchParams(query)));
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});
