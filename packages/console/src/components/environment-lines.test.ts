import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEnvironmentLines } from './environment-lines.ts';

describe('lines of variables', () => {
  test('are read with export, comments, blank lines and quotes', () => {
    const text = [
      '# keys',
      'A=1',
      '',
      'export B="two words" # second',
      "C='it is $literal'",
      'D=plain # comment',
      'E=',
      'F=a=b#c',
      String.raw`G="line\nnext \"quoted\""`,
    ].join('\r\n');
    expect(parseEnvironmentLines(text)).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: 'two words' },
      { name: 'C', value: 'it is $literal' },
      { name: 'D', value: 'plain' },
      { name: 'E', value: '' },
      { name: 'F', value: 'a=b#c' },
      { name: 'G', value: 'line\nnext "quoted"' },
    ]);
  });

  test('may have values over several lines', () => {
    expect(parseEnvironmentLines('KEY="-----BEGIN\nabc\n-----END"\nNEXT=1')).toEqual([
      { name: 'KEY', value: '-----BEGIN\nabc\n-----END' },
      { name: 'NEXT', value: '1' },
    ]);
  });

  test.each([
    '',
    '# only a comment',
    'just a sentence',
    'A=1\nno assignment',
    '1A=2',
    '-----BEGIN KEY-----\nA=1',
  ])('%j is something else', (text) => {
    expect(parseEnvironmentLines(text)).toBeNull();
  });

  test('any value in single quotes comes back as it was', () => {
    const value = fc.string({ unit: 'grapheme' }).filter((each) => !/['\r]/.test(each));
    fc.assert(
      fc.property(value, (each) => {
        expect(parseEnvironmentLines(`A='${each}'\nB=2`)).toEqual([
          { name: 'A', value: each },
          { name: 'B', value: '2' },
        ]);
      }),
    );
  });

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('A', '=', "'", '"', '\\', '#', ' ', '\n', '1', 'e') }),
        (text) => {
          const entries = parseEnvironmentLines(text);
          expect(entries === null || entries.length > 0).toBe(true);
        },
      ),
    );
  });
});
