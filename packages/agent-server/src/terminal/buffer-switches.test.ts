import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BufferSwitches } from './buffer-switches.ts';

function afterPieces(pieces: readonly string[]): boolean {
  const switches = new BufferSwitches();
  for (const piece of pieces) switches.follow(piece);
  return switches.alternate;
}

test.each([
  ['text', false],
  ['\x1b[?1049h', true],
  ['\x1b[?47h', true],
  ['\x1b[?25;1047h', true],
  ['\x1b[?2004h\x1b[?10490h\x1b[1049h', false],
  ['\x1b[?1049h\x1b[?25l text', true],
  ['\x1b[?1049h\x1b[?1049l', false],
  ['\x1b[?1049h\x1bc', false],
])('%j leaves a program on the alternate buffer: %s, however it is cut', (output, alternate) => {
  fc.assert(
    fc.property(fc.array(fc.nat(output.length)), (cuts) => {
      const ends = [...cuts, output.length].sort((a, b) => a - b);
      const pieces = ends.map((end, index) => output.slice(ends[index - 1] ?? 0, end));
      expect(afterPieces(pieces)).toBe(alternate);
    }),
  );
});
