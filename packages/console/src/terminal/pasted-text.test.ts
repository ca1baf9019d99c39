import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pastedText } from './pasted-text.ts';

describe('pastedText', () => {
  test('ends of lines are what Enter sends, and tabs stay', () => {
    expect(pastedText('a\nb\r\nc\rd\te', false)).toBe('a\rb\rc\rd\te');
  });

  test('it is marked where the program asks for it', () => {
    expect(pastedText('a', true)).toBe('\u001b[200~a\u001b[201~');
  });

  test('nothing in it ends the mark or is a key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const sent = pastedText(`${text}\u001b[201~\u0003\u009b`, true);
        expect(sent.startsWith('\u001b[200~')).toBe(true);
        expect(sent.endsWith('\u001b[201~')).toBe(true);
        expect(sent.slice(6, -6)).not.toMatch(/[\u0000-\u0008\u000a-\u000c\u000e-\u001f\u007f-\u009f]/);
      }),
    );
  });
});
