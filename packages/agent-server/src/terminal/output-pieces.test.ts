import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outputPieces } from './output-pieces.ts';

const HEAVY = [
  ...[
    '\x1b[999S',
    '\x9b999S',
    '\x1b[T',
    '\x1b[5L',
    '\x1b[2;3M',
    '\x1b[2J',
    '\x1b[9999b',
    '\x1b[99I',
    '\x1b[99Z',
  ],
  ...[
    '\x1b[?1049h',
    '\x1b[?47l',
    '\x1bc',
    '\x1b#8',
    "\x1b[9'}",
    "\x1b['~",
    '\x1b[ @',
    '\x1b[5 A',
    '\x1b\n[\n5S',
  ],
];

describe('what may touch the whole screen ends a piece', () => {
  test.each(HEAVY)('%j', (sequence) => {
    expect(outputPieces(`a${sequence}b${sequence}`)).toEqual([`a${sequence}`, `b${sequence}`]);
    expect(outputPieces(`\x1b[1${sequence}b`)).toEqual([`\x1b[1${sequence}`, 'b']);
  });
});

test.each([
  '',
  'text\r\nmore\r\n',
  '\x1b[1;5Hx\x1b[38;2;1;2;3mS\x1b[K\x1b[2A\x1b[5@\x1b7\x1b8\x1bM\x1b(B',
  `\x1b]0;${'title'.repeat(1_000)}\x07`,
  'x'.repeat(5_000),
])('ordinary output stays in one piece: %j', (output) => {
  expect(outputPieces(output)).toEqual([output]);
});

test('many line ends and light sequences are cut after some 1,000 characters', () => {
  for (const part of ['\n', '\x1bM', '\x1b[1m']) {
    const pieces = outputPieces(part.repeat(4_000));
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(1_030);
  }
});

test('the pieces make the output, and no sequence is cut', () => {
  const part = fc.constantFrom(
    ...HEAVY,
    '\x1b',
    '\x9b',
    '[',
    '1;2',
    'm',
    'é',
    '😀',
    '\n',
    'text'.repeat(400),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const output = `${parts.join('')}m`;
      const pieces = outputPieces(output);
      expect(pieces.join('')).toBe(output);
      for (const piece of pieces) expect(piece).not.toMatch(/(?:\x1b|(?:\x1b\[|\x9b)[0-?]*[ -/]*)$/);
    }),
  );
});
