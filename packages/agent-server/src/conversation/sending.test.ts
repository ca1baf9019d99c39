import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { typedText } from './sending.ts';

test('AA-041: outer ASCII white space goes, inner white space and Unicode stay', () => {
  expect(typedText(' \t\r\n\f\v a  b\n\n c \n')).toBe('a  b\n\n c');
  expect(typedText('\u00a0x\u3000')).toBe('\u00a0x\u3000');
  expect(typedText('\n \r')).toBe('');
});

test('line ends become LF, control characters go', () => {
  expect(typedText('a\r\nb\rc\x1b[201~\x00\x7f\x9bd')).toBe('a\nb\nc[201~d');
});

test('any text without control characters and outer white space is typed as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!/[\0-\x08\v-\x1f\x7f-\x9f]|^[ \t\n]|[ \t\n]$/.test(text));
      expect(typedText(text)).toBe(text);
    }),
  );
});

test('what is typed is stable and never holds a key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const typed = typedText(text);
      expect(typed).not.toMatch(/[\0-\x08\v-\x1f\x7f-\x9f]/);
      expect(typedText(typed)).toBe(typed);
    }),
  );
});
