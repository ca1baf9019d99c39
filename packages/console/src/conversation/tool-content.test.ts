import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rawText, toolContentOf } from './tool-content.ts';

test('texts and changes of a tool call are read, in the spelling of the protocol', () => {
  expect(
    toolContentOf([
      { type: 'content', content: { type: 'text', text: 'hello' } },
      { type: 'diff', path: 'a.ts', oldText: null, newText: 'b' },
      { type: 'terminal', terminalId: 't' },
    ]),
  ).toEqual([
    { kind: 'text', text: 'hello' },
    { kind: 'change', path: 'a.ts', before: '', after: 'b' },
  ]);
});

test('what is none of it is left out, and what is long is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (content) => {
      expect(Array.isArray(toolContentOf(content))).toBe(true);
    }),
  );
  expect(rawText('x'.repeat(100_000))?.length).toBeLessThan(21_000);
  expect([rawText(undefined), rawText({}), rawText('')]).toEqual([undefined, undefined, undefined]);
  expect(rawText({ command: 'ls' })).toBe('{\n  "command": "ls"\n}');
});
