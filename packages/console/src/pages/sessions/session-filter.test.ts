import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { liveSessionOf, type LiveSession } from '../../api/live-session.ts';
import {
  arranged,
  countsOf,
  filterOf,
  matching,
  NO_FILTER,
  queryOf,
  SORTS,
  VIEWS,
} from './session-filter.ts';

const session = (id: string, part: Partial<LiveSession> = {}): LiveSession => ({
  ...liveSessionOf({
    session_id: id,
    user_id: 'alice',
    status: 'active',
    state: 'running',
    agent: 'demo',
    port: 9000,
    started_at: '2026-01-01T00:00:00.000Z',
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    tags: {},
  }),
  ...part,
});
const idsOf = (sessions: readonly LiveSession[]): string[] => sessions.map(({ id }) => id);
const title = ({ id }: LiveSession): string => `Title of ${id}`;

describe('the filter of the list', () => {
  test('comes back from the address as it went in', () => {
    const text = fc.string({ minLength: 1 });
    const filters = fc.record({
      view: fc.constantFrom(...VIEWS),
      sort: fc.constantFrom(...SORTS),
      text: fc.string(),
      agent: fc.option(text),
      owner: fc.option(text),
      tags: fc.array(text),
    });
    fc.assert(
      fc.property(filters, (filter) => {
        expect(filterOf(new URLSearchParams(queryOf(filter).toString()))).toEqual(filter);
      }),
    );
  });

  test('an address without choices, or with unknown ones, is the list as it is', () => {
    expect(filterOf(new URLSearchParams('view=nonsense&sort=&tag='))).toEqual(NO_FILTER);
    expect(queryOf(NO_FILTER).toString()).toBe('');
  });

  test('all words must be somewhere; an id is found by its beginning only', () => {
    const all = [session('abc1', { agent: 'claude' }), session('xab1', { tags: { team: 'Docs' } })];
    const found = (text: string): string[] => idsOf(matching(all, { ...NO_FILTER, text }, () => 'Mend it'));
    expect(found('MEND docs')).toEqual(['xab1']);
    expect(found('ab')).toEqual(['abc1']);
    expect(found('claude')).toEqual(['abc1']);
    expect(found('mend nothing')).toEqual([]);
  });

  test('agent, owner and tags must all be as asked for', () => {
    const tags = { team: 'docs', a: 'b:c' };
    const all = [
      session('1', { tags }),
      session('2', { ownerId: 'bob', tags }),
      session('3', { agent: 'aider', tags }),
    ];
    const filter = { ...NO_FILTER, agent: 'demo', owner: 'alice', tags: ['team:docs', 'a:b:c'] };
    expect(idsOf(matching(all, filter, title))).toEqual(['1']);
  });

  test('views count and show by what sessions do', () => {
    const all = [
      session('w', { phase: 'waiting' }),
      session('s', { phase: 'starting' }),
      session('f', { phase: 'failed' }),
      session('e', { phase: 'stopped' }),
    ];
    expect(countsOf(all)).toEqual({ active: 2, waiting: 1, working: 1, failed: 1, ended: 2, all: 4 });
    expect(idsOf(arranged(all, { view: 'ended', sort: 'title' }, title))).toEqual(['e', 'f']);
    expect(idsOf(arranged(all, { view: 'all', sort: 'status' }, title))).toEqual(['w', 'f', 's', 'e']);
  });
});
