import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventBoundary } from './event-streams.ts';

/** The rule, written the slow way: one line end taken off, another one must be left, or nothing. */
function endsWithBlankLine(text: string): boolean {
  if (text === '') return true;
  const rest = text.replace(/(?:\r\n|\n|\r)$/, '');
  return rest !== text && (rest === '' || /[\r\n]$/.test(rest));
}

test('PX-156: a place between events is found however the bytes are cut', () => {
  const text = fc
    .array(fc.constantFrom('\r', '\n', '\r\n', '\n\n', 'data: x', 'a'), { maxLength: 12 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(12), { maxLength: 6 }), (whole, cuts) => {
      const boundary = new EventBoundary();
      let passed = '';
      const places = [...cuts, whole.length].map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b);
      for (const place of places) {
        const chunk = whole.slice(passed.length, place);
        boundary.pass(Buffer.from(chunk));
        passed += chunk;
        // A lone CR LF in front is one line end; the seen rest decides.
        expect(boundary.betweenEvents).toBe(endsWithBlankLine(passed));
      }
    }),
    { numRuns: 5000 },
  );
});
