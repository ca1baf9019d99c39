import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePs } from './process-table-ps.ts';
import { parseStat } from './process-table.ts';

/** A line of `/proc/<pid>/stat`; field 20 is the number of threads, field 22 the start time. */
function statLine(name: string, state = 'S', threads = 1): string {
  const zeros = (count: number): string => Array.from({ length: count }, () => '0').join(' ');
  return `4711 (${name}) ${state} 1 4700 4600 ${zeros(13)} ${threads} 0 987654 ${zeros(30)}\n`;
}

describe('parseStat', () => {
  test('reads ids, start time and state', () => {
    expect(parseStat(statLine('node'))).toEqual({
      pid: 4711,
      startTime: '987654',
      parentPid: 1,
      groupId: 4700,
      sessionId: 4600,
      name: 'node',
      isStopped: false,
      isZombie: false,
    });
  });

  test('a name may hold anything, blanks and brackets included', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 15 }), (name) => {
        expect(parseStat(statLine(name))).toMatchObject({
          pid: 4711,
          name,
          startTime: '987654',
          groupId: 4700,
        });
      }),
    );
  });

  test('a zombie with living threads is no zombie', () => {
    expect(parseStat(statLine('a', 'Z'))).toMatchObject({ isZombie: true });
    expect(parseStat(statLine('a', 'Z', 3))).toMatchObject({ isZombie: false });
    expect(parseStat(statLine('a', 'T'))).toMatchObject({ isStopped: true, isZombie: false });
  });

  test('any other text is refused, not misread', () => {
    for (const text of ['', '4711', '4711 (a', '4711 (a) S 1 2']) expect(parseStat(text)).toBeNull();
    fc.assert(fc.property(fc.string(), (text) => void parseStat(text)));
  });
});

describe('parsePs', () => {
  test('reads the columns of macOS and of Linux, names with blanks included', () => {
    const text = [
      '    1     0     1      0 Ss   Sat Nov 22 09:53:00 2025     /sbin/launchd',
      '  501     1   500      0 T    Sun Nov  2 09:53:01 2025     /Applications/Some App/tool',
      '  502   501   500    501 Z+   Sun Nov  2 09:53:01 2025     <defunct>',
      'no line of ps',
    ].join('\n');
    expect(parsePs(text)).toEqual([
      expect.objectContaining({ pid: 1, parentPid: 0, groupId: 1, name: '/sbin/launchd', marker: null }),
      expect.objectContaining({
        pid: 501,
        startTime: 'Sun Nov 2 09:53:01 2025',
        isStopped: true,
        name: '/Applications/Some App/tool',
      }),
      expect.objectContaining({ pid: 502, parentPid: 501, sessionId: 501, isZombie: true }),
    ]);
  });
});
