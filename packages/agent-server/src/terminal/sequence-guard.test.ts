import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SequenceGuard } from './sequence-guard.ts';

/** Rows of the screen. */
const EXTENT = 1_000;

function filtered(chunks: readonly string[]): string {
  const guard = new SequenceGuard();
  return chunks.map((chunk) => guard.filter(chunk, EXTENT)).join('');
}

test.each([
  ['\x1b[2147483647S', '\x1b[1000S'],
  ['\x9b2147483647S', '\x9b1000S'],
  ['\x1b[1001T', '\x1b[1000T'],
  ['\x1b[9999L', '\x1b[1000L'],
  ['\x1b[9999M', '\x1b[1000M'],
  ['\x1b[9999I', '\x1b[1000I'],
  ['\x1b[9999Z', '\x1b[1000Z'],
  ['\x1b[1;10000H', '\x1b[1;9999H'],
  ['\x1b[38:2:99999:1m', '\x1b[38:2:9999:1m'],
  ['\x1b[?10000;25h', '\x1b[?9999;25h'],
  ['\x1b[2147\n483647S', '\x1b[\n1000S'],
  ['\x1b\n[2147483647S', '\x1b\n[1000S'],
  ['\x1b[1\x1b[99999S', '\x1b[1\x1b[1000S'],
])('a parameter above the cap becomes the cap: %j is %j', (text, expected) => {
  expect(filtered([text])).toBe(expected);
  expect(filtered(Array.from(text))).toBe(expected);
});

test.each([
  '\x1b[1000S',
  '\x1b[?9999S',
  '\x1b[9999b',
  '\x1b[00000000000000000001S',
  '\x1b[38;2;255;255;255mtext\x1b[m',
  '\x1b(B99999S',
  '\x1b([99999S',
  '\x1b[1\x1899999S',
  '\x1b]0;99999\x07[99999S',
  '99999S',
])('everything else is passed on unchanged: %j', (text) => {
  expect(filtered([text])).toBe(text);
  expect(filtered(Array.from(text))).toBe(text);
});

test.each(['\x1b[', '\x9b', '\x1b(', '\x1b'])(
  'a sequence without end is broken off, and what follows is shown: %j',
  (start) => {
    const filler = start === '\x1b(' ? ' ' : '\n';
    const text = `${start}${filler.repeat(10_000)}shown`;
    const expected = `${text.slice(0, 4_096)}\x18${text.slice(4_096)}`;
    expect(filtered([text])).toBe(expected);
    expect(filtered(Array.from(text))).toBe(expected);
  },
);

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom('\x1b', '\x9b', '[', ']', '(', ';', ':', '?', '\n', '\x7f', '\x18', 'S', 'b', 'é', '😀'),
    fc.constantFrom('\x1b[', '1', '0', '999', '1001', '9999', '10000', '2147483647', ' '.repeat(4_090)),
  ),
  { maxLength: 30 },
);

test('where the output is cut into chunks makes no difference', () => {
  fc.assert(
    fc.property(pieces, (chunks) => {
      expect(filtered([...chunks, 'm'])).toBe(filtered([`${chunks.join('')}m`]));
      expect(filtered([...Array.from(chunks.join('')), 'm'])).toBe(filtered([`${chunks.join('')}m`]));
    }),
  );
});

test('where no number is above its cap and nothing is too long, the output is the input', () => {
  fc.assert(
    fc.property(pieces, (chunks) => {
      const input = `${chunks
        .join('')
        .replaceAll(/ {2,}/g, '')
        .replaceAll(/[0-9][0-9\n\x7f]*/g, '999')}m`;
      expect(filtered([input])).toBe(input);
    }),
  );
});
