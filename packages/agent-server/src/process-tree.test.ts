import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectMembers } from './process-tree.ts';
import type { ProcessInfo } from './process-tree.ts';

const OWN_PID = 100;

function info(pid: number, changes: Partial<ProcessInfo> = {}): ProcessInfo {
  return {
    pid,
    startTime: String(pid),
    bootId: 'boot',
    parentPid: 1,
    groupId: pid,
    sessionId: pid,
    name: 'x',
    isStopped: false,
    isZombie: false,
    marker: null,
    ...changes,
  };
}

const own = info(OWN_PID);

function pids(all: readonly ProcessInfo[], query: Parameters<typeof selectMembers>[1]): readonly number[] {
  return selectMembers([own, ...all], query, OWN_PID)
    .map(({ pid }) => pid)
    .toSorted((a, b) => a - b);
}

describe('selectMembers', () => {
  test('DF-24: follows parents, sessions and groups from a root, in any order', () => {
    const all = [
      info(9, { parentPid: 1, sessionId: 5, groupId: 8 }),
      info(7, { parentPid: 6 }),
      info(6, { parentPid: 5 }),
      info(5),
      info(20),
      info(21, { parentPid: 20 }),
    ];
    expect(pids(all, { roots: [info(5)] })).toEqual([5, 6, 7, 9]);
  });

  test('the session of a root that is gone still belongs to it', () => {
    expect(pids([info(9, { sessionId: 5, groupId: 9 })], { roots: [info(5)] })).toEqual([9]);
  });

  test('DF-27: a root whose pid belongs to another program by now leads to nothing', () => {
    const reused = info(5, { startTime: 'later' });
    expect(pids([reused, info(6, { parentPid: 5, sessionId: 5 })], { roots: [info(5)] })).toEqual([]);
    expect(pids([info(5, { bootId: 'next' })], { roots: [info(5)] })).toEqual([]);
  });

  test('the marker counts as a whole or as a beginning, as asked', () => {
    const all = [info(5, { marker: 'i.1' }), info(6, { marker: 'i.12' }), info(7, { marker: 'j.1' })];
    expect(pids(all, { marker: { value: 'i.1', match: 'equal' } })).toEqual([5]);
    expect(pids(all, { marker: { value: 'i.', match: 'prefix' } })).toEqual([5, 6]);
    expect(pids(all, { marker: { value: '', match: 'prefix' } })).toEqual([]);
  });

  test('a session or group that somebody else leads is not taken because of one member', () => {
    const all = [
      info(50),
      info(51, { sessionId: 50, groupId: 50, marker: 'i.1' }),
      info(52, { sessionId: 50, groupId: 50 }),
    ];
    expect(pids(all, { marker: { value: 'i.1', match: 'equal' } })).toEqual([51]);
  });

  test("the caller, its session and its group are never members, even of its own child's run", () => {
    const child = info(5, { parentPid: OWN_PID, sessionId: OWN_PID, groupId: OWN_PID });
    const sibling = info(6, { parentPid: OWN_PID, sessionId: OWN_PID, groupId: OWN_PID });
    expect(pids([child, sibling], { roots: [child, own] })).toEqual([5]);
  });

  test('whatever the table: members are closed under parenthood, grow with the roots, exclude the caller', () => {
    const small = fc.integer({ min: 0, max: 30 });
    const tables = fc.uniqueArray(
      fc
        .record({ pid: fc.integer({ min: 2, max: 30 }), parentPid: small, groupId: small, sessionId: small })
        .map(({ pid, ...rest }) => info(pid, rest)),
      { selector: ({ pid }) => pid },
    );
    fc.assert(
      fc.property(tables, fc.array(fc.integer({ min: 2, max: 30 })), (all, rootPids) => {
        const roots = rootPids.map((pid) => info(pid));
        const found = new Set(pids(all, { roots }));
        expect(found.has(OWN_PID)).toBe(false);
        const children = all.filter(({ parentPid }) => found.has(parentPid));
        expect(children.every(({ pid }) => found.has(pid))).toBe(true);
        for (const pid of pids(all, { roots: roots.slice(1) })) expect(found.has(pid)).toBe(true);
      }),
    );
  });
});
