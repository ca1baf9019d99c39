import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { parseJson } from './json-file.ts';

function messageFor(text: string): string {
  try {
    parseJson(text, 'f.json');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('parseJson', () => {
  test.each([
    ['{\n  "a": 1,\n}', 'f.json:3:1: not valid JSON: expected a member name in double quotes'],
    ['{"a": 1 "b": 2}', 'f.json:1:9: not valid JSON: expected a comma'],
    ['{\n  // comment\n  "a": 1\n}', 'f.json:2:3: not valid JSON: comments are not allowed'],
    ['[1, 2,]', 'f.json:1:7: not valid JSON: expected a value'],
    ['{"a": "x', 'f.json:1:7: not valid JSON: expected a closing quote'],
    ['{"a": yes}', 'f.json:1:7: not valid JSON: expected a value'],
    ['{"a": 1}\n{}', 'f.json:2:1: not valid JSON: expected nothing after the end'],
    ['', 'f.json: is empty, expected a JSON object'],
    [' \n', 'f.json: is empty, expected a JSON object'],
    ['{"a": {"b": 1, "b": 2}}', 'f.json:1:16: "b" stands in this object twice'],
  ])('PX-007: %j is refused with its place', (text, message) => {
    expect(messageFor(text)).toContain(message);
  });

  test('PX-007: accepts exactly what JSON.parse accepts', () => {
    const almostJson = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', '//', '\u0000', 'x', '{"', ':'))
      .map(
        ([json, at, insert]) =>
          json.slice(0, at % (json.length + 1)) + insert + json.slice(at % (json.length + 1)),
      );
    fc.assert(
      fc.property(fc.oneof(fc.json(), almostJson, fc.string()), (text) => {
        const expected = parses(text)
          ? /^accepted$|stands in this object twice$/
          : /^f\.json(:\d+:\d+)?: (not valid JSON|is empty)/;
        expect(messageFor(text)).toMatch(expected);
      }),
    );
  });

  test('tells the place of values and of members, or of the nearest part above', () => {
    const file = parseJson('{\n  "a": {\n    "b": [1, "x"]\n  }\n}', 'f.json');
    expect(file.place(['a', 'b', 1])).toBe('f.json:3:14');
    expect(file.place(['a', 'missing', 'deeper'])).toBe('f.json:2:8');
    expect(file.placeOfName(['a'], 'b')).toBe('f.json:3:5');
    expect(file.place([])).toBe('f.json:1:1');
  });
});
