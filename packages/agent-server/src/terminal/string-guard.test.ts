import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StringGuard } from './string-guard.ts';

function filtered(chunks: readonly string[]): string {
  const guard = new StringGuard();
  return chunks.map((chunk) => guard.filter(chunk)).join('');
}

test('AA-103: a string that is not ended ends at the line end', () => {
  expect(filtered(['\x1b]0;title\r\ntext'])).toBe('\x1b]0;title\r\x18\ntext');
  expect(filtered(['\x1b_apc\ntext'])).toBe('\x1b_apc\x18\ntext');
});

test('AA-103: a string that is too long ends, and what follows is shown', () => {
  const long = 'x'.repeat(2_000_000);
  const output = filtered(['\x1bP', long, 'text']);
  expect(output).toHaveLength(2 + long.length + 1 + 4);
  expect(output.indexOf('\x18')).toBe(2 + 1_048_576);
});

test.each([
  '\x1b]0;title\x07line\n',
  '\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\\n',
  '\x1bPq#0\n-sixel\n\x1b\\after\n',
  '\x9dtitle\x9cafter\n',
  '\x1b[1mplain\x1b[m\n',
])('what is well formed is passed on unchanged: %j', (text) => {
  expect(filtered([text])).toBe(text);
});

const fragments = fc.array(
  fc.constantFrom(
    '\x1b',
    ']',
    'P',
    '_',
    '\\',
    '\x07',
    '\n',
    '\x18',
    'a',
    '0;t',
    '\x9d',
    '\x90',
    '\x9c',
    '[1m',
  ),
  { maxLength: 30 },
);

test('where the output is cut into chunks makes no difference', () => {
  fc.assert(
    fc.property(fragments, (chunks) => {
      expect(filtered([...chunks, '.'])).toBe(filtered([`${chunks.join('')}.`]));
    }),
  );
});

test('nothing is taken away or moved: without the added cancels it is the input', () => {
  fc.assert(
    fc.property(fragments, (chunks) => {
      const input = [...chunks, '.'].join('').replaceAll('\x18', '');
      expect(filtered([input]).replaceAll('\x18', '')).toBe(input);
    }),
  );
});
