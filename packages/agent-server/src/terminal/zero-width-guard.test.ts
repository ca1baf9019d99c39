import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ZeroWidthGuard } from './zero-width-guard.ts';

const ACUTE = '\u0301';

function filtered(chunks: readonly string[]): string {
  const guard = new ZeroWidthGuard();
  return chunks.map((chunk) => guard.filter(chunk)).join('');
}

test.each([
  '👩‍👩‍👧‍👦 👍🏽 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} ❤\ufe0f',
  'क्षत्रिय नमस्ते',
  '\u1112\u1161\u11ab',
  `Z${ACUTE.repeat(20)}a${ACUTE.repeat(32)}lgo`,
  `a${ACUTE}`.repeat(100),
])('text is passed on unchanged: %j', (text) => {
  expect(filtered([text])).toBe(text);
  expect(filtered(Array.from(text))).toBe(text);
});

test('of more than 32 characters without width in a row the first 32 stay', () => {
  const text = `a${ACUTE.repeat(100)}b${ACUTE}`;
  const expected = `a${ACUTE.repeat(32)}b${ACUTE}`;
  expect(filtered([text])).toBe(expected);
  expect(filtered(Array.from(text))).toBe(expected);
  expect(filtered([`a${`${ACUTE.repeat(30)}\x7f`.repeat(3)}`])).toBe(
    `a${ACUTE.repeat(30)}\x7f${ACUTE.repeat(2)}\x7f\x7f`,
  );
});

test('where the output is cut into chunks makes no difference', () => {
  const piece = fc.constantFrom(
    'a',
    '\n',
    '\x7f',
    ACUTE,
    ACUTE.repeat(20),
    '\u200d',
    '\u{e0100}',
    '漢',
    '\x1b[m',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (chunks) => {
      expect(filtered(chunks)).toBe(filtered([chunks.join('')]));
    }),
  );
});
