import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Screen } from './screen.ts';

/** A small screen; `show` resolves when the output is on it. */
function screenOf(columns: number, rows: number) {
  const replies: string[] = [];
  let changes = 0;
  const screen = new Screen({
    columns,
    rows,
    onReply: (data) => replies.push(data),
    onChange: () => (changes += 1),
  });
  return {
    screen,
    replies,
    changes: () => changes,
    show: (data: string) => new Promise<void>((resolve) => screen.write(data, resolve)),
    [Symbol.dispose]: () => screen.dispose(),
  };
}

test('AA-098: every row is padded to the width and ends with LF', async () => {
  using it = screenOf(6, 3);
  expect(it.screen.read().full).toBe('      \n      \n      \n');
  await it.show('ab\r\n\x1b[31mcd\x1b[m');
  expect(it.screen.read().full).toBe('ab    \ncd    \n      \n');
});

test('AA-099: the active buffer is read; leaving the alternate screen twice does nothing', async () => {
  using it = screenOf(6, 2);
  await it.show('main\x1b[?1049h\x1b[Hother');
  expect(it.screen.read().full).toBe('other \n      \n');
  await it.show('\x1b[?1049l\x1b[?1049l');
  expect(it.screen.read().full).toBe('main  \n      \n');
});

test('AA-101: status, cursor position and device attributes are answered', async () => {
  using it = screenOf(10, 5);
  await it.show('\x1b[3;4H\x1b[5n\x1b[6n\x1b[c');
  expect(it.replies.slice(0, 2)).toEqual(['\x1b[0n', '\x1b[3;4R']);
  expect(it.replies[2]).toMatch(/^\x1b\[\?[\d;]+c$/);
});

test('AA-102: a wide character stands once and covers two columns, a combining one none', async () => {
  using it = screenOf(8, 3);
  await it.show('日本|\r\ne\u0301x|\r\n👍|');
  expect(it.screen.read().full).toBe('日本|   \ne\u0301x|     \n👍|     \n');
});

test('AA-103: a string without end does not freeze the screen', async () => {
  using it = screenOf(8, 3);
  await it.show('\x1b]0;title\r\nshown');
  expect(it.screen.read().full).toContain('shown');
});

test('AA-104: keyboard protocol sequences do not move the cursor', async () => {
  using it = screenOf(10, 4);
  await it.show('\x1b7\x1b[3;3Ha\x1b[>1u\x1b[=1;1u\x1b[<u\x1b[?ub');
  expect(it.screen.read().full.split('\n')[2]).toBe('  ab      ');
});

test('AA-107: rows beyond the height scroll away', async () => {
  using it = screenOf(4, 2);
  await it.show('1\r\n2\r\n3');
  expect(it.screen.read().full).toBe('2   \n3   \n');
});

test.each(['\x1b[1<m', '\x1b[1\x9c', '\x1b[1é', '\x98text\x9c', '\x90é', '\x1b[', '\x1bX\x9c'])(
  'a cell holds 33 characters at most, whatever stands between its marks: %j',
  async (between) => {
    using it = screenOf(10, 2);
    await it.show(`a${`${'\u0301'.repeat(32)}${between}`.repeat(1_000)}`);
    const lengths = it.screen
      .read()
      .text.split('\n')
      .map(({ length }) => length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(10 * 33);
  },
);

test('what is repeated is no more than a cell can hold', async () => {
  using it = screenOf(80, 24);
  for (let count = 0; count < 20; count += 1) {
    await it.show(`${count === 0 ? 'a' : ''}${`${'\u0301'.repeat(32)}\x1b[1<m`.repeat(1_000)}`);
  }
  await it.show('\x1b[9999b\x1b[2Jshown');
  expect(it.screen.read().text).toContain('shown');
});

test('of output that waits for the emulator nothing is applied after the end', async () => {
  using it = screenOf(1_000, 1_000);
  const shown = it.show(`${'\x1bc'.repeat(100_000)}\x1b]2;late\x07`);
  it.screen.dispose();
  await shown;
  expect(it.screen.title).toBe('');
});

test('the modes and the title that a program sets are known', async () => {
  using it = screenOf(10, 2);
  expect([it.screen.bracketedPaste, it.screen.midRedraw, it.screen.title]).toEqual([false, false, '']);
  await it.show('\x1b[?2004h\x1b[?2026h\x1b]2;at work\x07');
  expect([it.screen.bracketedPaste, it.screen.midRedraw, it.screen.title]).toEqual([true, true, 'at work']);
  await it.show('\x1b[?2004l\x1b[?2026l');
  expect([it.screen.bracketedPaste, it.screen.midRedraw]).toEqual([false, false]);
});

test('a resize keeps the text and changes the padding', async () => {
  using it = screenOf(4, 2);
  await it.show('ab');
  it.screen.resize(6, 3);
  expect(it.screen.read().full).toBe('ab    \n      \n      \n');
});

test('changes are counted and announced, and a still screen is not read again', async () => {
  using it = screenOf(10, 2);
  const before = it.screen.changes;
  await it.show('a');
  expect(it.screen.changes).toBeGreaterThan(before);
  expect(it.changes()).toBe(1);
  expect(it.screen.read()).toBe(it.screen.read());
});

test('no output makes the emulator throw or lose its shape', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\x1b[',
      '\x1b]',
      '\x1bP',
      '\x1b',
      '\r',
      '\n',
      '\t',
      '\b',
      '?1049h',
      '?1049l',
      '5;3H',
      'J',
      'm',
      '日',
      '👩‍👩‍👧',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      using it = screenOf(10, 4);
      await it.show(pieces.join(''));
      const rows = it.screen.read().full.split('\n');
      expect(rows).toHaveLength(5);
      expect(rows[4]).toBe('');
    }),
    { numRuns: 60 },
  );
});
