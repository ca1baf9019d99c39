import { createRequire } from 'node:module';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import type * as Xterm from '@xterm/headless';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Screen } from './screen.ts';
import { unfinishedString } from './unfinished-string.ts';

const { Terminal }: typeof Xterm = createRequire(import.meta.url)('@xterm/headless');
const SIZE = { columns: 20, rows: 6 };

/** An emulator that writes what it is told, and one that is not ours. */
class Viewer implements Disposable {
  readonly #terminal = new Terminal({
    cols: SIZE.columns,
    rows: SIZE.rows,
    scrollback: 0,
    allowProposedApi: true,
  });

  constructor() {
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = '11';
  }

  async write(...chunks: readonly string[]): Promise<void> {
    for (const chunk of chunks) await new Promise<void>((resolve) => this.#terminal.write(chunk, resolve));
  }

  /** Every character with its look, the cursor and the modes. */
  look(): object {
    const { active } = this.#terminal.buffer;
    const cells: string[] = [];
    for (let y = 0; y < SIZE.rows; y += 1) {
      const line = active.getLine(active.baseY + y);
      let row = '';
      for (let x = 0; x < SIZE.columns; x += 1) {
        const cell = line?.getCell(x);
        if (cell === undefined) continue;
        const text = cell.getChars() === '' ? ' ' : cell.getChars();
        const flags = [cell.isBold(), cell.isInverse(), cell.isUnderline()].map(Number).join('');
        // Of a blank only the background shows.
        const plain = text === ' ' && cell.isInverse() === 0 && cell.isUnderline() === 0;
        const ink = plain ? '' : `${flags}/${cell.getFgColor()}`;
        row += `${active.type.charAt(0)}${text}${ink}/${cell.getBgColor()} `;
      }
      cells.push(row);
    }
    const { synchronizedOutputMode: _passing, ...modes } = this.#terminal.modes;
    return { cells, x: active.cursorX, y: active.cursorY, modes };
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }
}

/** The screen of an agent, with everything that was applied to it since it was last looked at. */
class Shown implements Disposable {
  readonly applied: string[] = [];
  readonly screen = new Screen({
    ...SIZE,
    onReply: () => {},
    onChange: () => {},
    onApplied: (piece) => void this.applied.push(piece),
  });
  /** Sees everything from the beginning. */
  readonly reference = new Viewer();

  async write(...chunks: readonly string[]): Promise<void> {
    const before = this.applied.length;
    for (const chunk of chunks) await new Promise<void>((resolve) => this.screen.write(chunk, resolve));
    await this.reference.write(...this.applied.slice(before));
  }

  [Symbol.dispose](): void {
    this.screen.dispose();
    this.reference[Symbol.dispose]();
  }
}

const pieces = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', ' ', 'é', '漢') }),
  fc.constantFrom('\r\n', '\n', '\b', '\t', '\r'),
  fc.constantFrom('\x1b[31m', '\x1b[1;4;38;5;120m', '\x1b[93;102m', '\x1b[48;2;1;2;3m', '\x1b[m', '\x1b[7m'),
  fc.constantFrom(
    '\x1b[H',
    '\x1b[3;5H',
    '\x1b[2A',
    '\x1b[K',
    '\x1b[2J',
    '\x1b[L',
    '\x1b[2M',
    '\x1bM',
    '\x1b[@',
  ),
  fc.constantFrom('\x1b[2;4r', '\x1b[r', '\x1b[?25l', '\x1b[?25h', '\x1b[4 q', '\x1b[?1h', '\x1b[?2004h'),
  fc.constantFrom('\x1b[?1006h', '\x1b[?1000h', '\x1b]0;title\x07', '\x1b]2;name\x1b\\'),
  fc.constantFrom('\x1b7', '\x1b8', '\x1b[?1049h', '\x1b[?1049l', '\x1b[?47h', '\x1b[?47l', '\x1b[2;3;9m'),
  fc.constantFrom('\x1b[?6h', '\x1b[?6l', '\x1b[4h', '\x1b[4l', '\x1b[?7l', '\x1b[?7h', '\x1b[9X', '\x1b[2K'),
);

describe('a screen for another emulator', () => {
  test('whoever begins to look anywhere in the output sees what the first one sees', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 30 }), fc.nat(), async (output, place) => {
        const text = output.join('');
        const at = text === '' ? 0 : place % (text.length + 1);
        using shown = new Shown();
        using late = new Viewer();
        await shown.write(text.slice(0, at));
        await late.write(shown.screen.repaint());
        expect(late.look()).toEqual(shown.reference.look());
        shown.applied.length = 0;
        await shown.write(text.slice(at));
        await late.write(...shown.applied);
        expect(late.look()).toEqual(shown.reference.look());
      }),
      {
        numRuns: 300,
        examples: [
          [['a漢aa', '\x1b[7m', '\x1b[2;4r', 'aaa'], 727_975_978],
          [['aaaaaaaa', 'aaaaa', 'aaaaaaaa', '\x1b[L', '\x1b[?1006h'], 24],
          [['\x1b[3;5H', 'aaa', 'aaaa漢', '\x1b[48;2;1;2;3m', 'aaaaa漢', '\x1b[31m'], 33],
          [['a', '\x1b[48;2;1;2;3m', '\x1b[?47h', '\x1b[31m'], 919_020_720],
          [['aaaa漢a漢漢', '\b', '\b', 'aa漢a漢aa漢', '\x1b[H'], 1_511_509_864],
        ],
      },
    );
  });

  test('the alternate screen comes with what is behind it', async () => {
    using shown = new Shown();
    using late = new Viewer();
    await shown.write('behind\x1b[?1049h\x1b[2;3Hin front');
    await late.write(shown.screen.repaint());
    expect(late.look()).toEqual(shown.reference.look());
    await shown.write('\x1b[?1049l');
    await late.write('\x1b[?1049l');
    expect(late.look()).toEqual(shown.reference.look());
    expect(JSON.stringify(late.look())).toContain('nb000/-1/-1 ne000/-1/-1 nh000/-1/-1');
  });

  test('what the emulator does not tell is there: hidden cursor, its form, mouse reports, the region that scrolls', async () => {
    using shown = new Shown();
    await shown.write('\x1b[?25l\x1b[?1006h\x1b[2;4r\x1b[3 q\x1b[3;7Hx');
    expect(shown.screen.repaint()).toMatch(/\x1b\[2;4r\x1b\[3;8H\x1b\[0m\x1b\[\?25l\x1b\[\?1006h\x1b\[3 q$/);
    await shown.write('\x1bc');
    using fresh = new Shown();
    expect(shown.screen.repaint()).toBe(fresh.screen.repaint());
  });
});

describe('the beginning of a control string', () => {
  test.each([
    ['plain text', ''],
    ['a\x1b[31m', ''],
    ['a\x1b(B', ''],
    ['\x1b]0;title', '\x1b]0;title'],
    ['\x1b]0;title\x07', ''],
    ['\x1b]0;title\x1b\\', ''],
    ['\x1bPq#0', '\x1bPq#0'],
    ['\x1bPq\x18', ''],
    ['\x90q', '\x90q'],
  ])('of %j is %j', (text, expected) => {
    expect(unfinishedString(text)).toBe(expected);
  });
});
