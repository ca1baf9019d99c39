import { createRequire } from 'node:module';
import type * as Unicode11 from '@xterm/addon-unicode11';
import type * as Xterm from '@xterm/headless';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowSpeller } from './row-speller.ts';

const require = createRequire(import.meta.url);
const { Terminal }: typeof Xterm = require('@xterm/headless');
const { Unicode11Addon }: typeof Unicode11 = require('@xterm/addon-unicode11');

/** The rows of a small terminal after `output`, as the speller and as the emulator spell them. */
async function rowsAfter(output: string): Promise<{ spelled: string[]; expected: string[] }> {
  const terminal = new Terminal({ cols: 12, rows: 6, scrollback: 0, allowProposedApi: true });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  await new Promise<void>((resolve) => {
    terminal.write(output, resolve);
  });
  const { active } = terminal.buffer;
  const speller = new RowSpeller(active.getNullCell());
  const lines = Array.from({ length: 6 }, (_, index) => active.getLine(index)).filter(
    (line) => line !== undefined,
  );
  const rows = {
    spelled: lines.map((line) => speller.spell(line)),
    expected: lines.map((line) => line.translateToString(false)),
  };
  terminal.dispose();
  return rows;
}

test('AA-102: a wide character stands once, a combined one whole, an empty cell is a blank', async () => {
  const { spelled } = await rowsAfter('漢字 e\u0301\r\n🙂.\r\n\u001b[3Cx');
  expect(spelled.slice(0, 3)).toEqual(['漢字 e\u0301      ', '🙂.         ', '   x        ']);
});

test('AA-102: any output is spelled as the emulator spells it', async () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('a', ' ', 'é', 'e\u0301', '漢', '🙂', '\u200d', '─', '\r\n', '\u001b[2C'),
    }),
  );
  await fc.assert(
    fc.asyncProperty(pieces, async (output) => {
      const { spelled, expected } = await rowsAfter(output);
      expect(spelled).toEqual(expected);
    }),
  );
});

test('AA-102: a cell may hold more characters than a row has columns', async () => {
  const output = `e${'\u0301'.repeat(2_000)}`;
  const { spelled } = await rowsAfter(output);
  expect(spelled[0]).toBe(`${output}${' '.repeat(11)}`);
});
