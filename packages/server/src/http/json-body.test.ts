import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { parseJsonBody } from './json-body.ts';

describe('parseJsonBody', () => {
  test('PX-076: an empty body is no body', () => {
    expect(parseJsonBody(Buffer.from(''))).toBeUndefined();
    expect(parseJsonBody(Buffer.from(' \n'))).toBeUndefined();
  });

  test('PX-065: malformed JSON is refused with the place', () => {
    expect(() => parseJsonBody(Buffer.from('{"a": 1,\n "b": }'))).toThrow(/line 2, column 7/);
    expect(() => parseJsonBody(Buffer.from('a=1&b=2'))).toThrow(/line 1, column 1/);
  });

  test('PX-065: malformed JSON of any depth is refused', () => {
    expect(() => parseJsonBody(Buffer.from('['.repeat(100)))).toThrow(/not valid JSON at line 1, column 101/);
    const deep = ['['.repeat(100_000), '{"a":'.repeat(100_000)];
    for (const text of deep)
      expect(() => parseJsonBody(Buffer.from(text))).toThrow(/more than 100 levels deep/);
    for (const text of deep) {
      expect(() => parseJsonBody(Buffer.from(`"\n${text}`))).toThrow('Invalid request body: not valid JSON');
    }
  });

  test('JSON that is nested too deeply is refused', () => {
    const nested = (levels: number): Buffer => Buffer.from('['.repeat(levels) + ']'.repeat(levels));
    expect(JSON.stringify(parseJsonBody(nested(100)))).toBe(nested(100).toString());
    expect(() => parseJsonBody(nested(101))).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: 'Invalid request body: nested more than 100 levels deep',
      }),
    );
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(() => parseJsonBody(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/UTF-8/);
  });

  test('any JSON comes back as it was, any other text is refused with the right error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJsonBody(Buffer.from(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseJsonBody(Buffer.from(text));
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});
