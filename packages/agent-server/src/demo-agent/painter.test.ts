import xterm from '@xterm/headless';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { row } from './layout.ts';
import { Painter } from './painter.ts';

const COLUMNS = 20;
const HEIGHT = 5;

/** A painter on a terminal that keeps what scrolls out. */
function makeScreen(): {
  painter: Painter;
  written: string[];
  lines: () => Promise<readonly string[]>;
  cursor: () => Promise<readonly [number, number]>;
} {
  const terminal = new xterm.Terminal({
    cols: COLUMNS,
    rows: HEIGHT,
    scrollback: 1_000,
    allowProposedApi: true,
  });
  const written: string[] = [];
  const painter = new Painter((text) => written.push(text), COLUMNS, HEIGHT);
  let done = 0;
  const settle = async (): Promise<void> => {
    for (; done < written.length; done += 1) {
      await new Promise<void>((resolve) => terminal.write(written[done] ?? '', resolve));
    }
  };
  return {
    painter,
    written,
    lines: async () => {
      await settle();
      const buffer = terminal.buffer.active;
      const all = Array.from(
        { length: buffer.length },
        (_, y) => buffer.getLine(y)?.translateToString(true) ?? '',
      );
      return all;
    },
    cursor: async () => {
      await settle();
      return [terminal.buffer.active.cursorY, terminal.buffer.active.cursorX];
    },
  };
}

const frameOf = (texts: readonly string[], forgotten = 0) => ({
  rows: texts.map((text) => row(text)),
  forgotten,
  cursor: { row: texts.length - 1, column: 1 },
});

describe('Painter', () => {
  test('writes only rows that have changed', () => {
    const { painter, written } = makeScreen();
    painter.paint(frameOf(['one', 'two', 'three']));
    written.length = 0;
    painter.paint(frameOf(['one', 'TWO', 'three']));
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('TWO');
    expect(written[0]).not.toMatch(/one|three/);
    written.length = 0;
    painter.paint(frameOf(['one', 'TWO', 'three']));
    expect(written.join('')).not.toMatch(/[a-z]{3}|\x1b\[2?[JK]/i);
  });

  test('puts the cursor where the frame says', async () => {
    const { painter, cursor } = makeScreen();
    painter.paint(frameOf(['one', 'two', 'three']));
    expect(await cursor()).toEqual([2, 1]);
    painter.paint(frameOf(['1', '2', '3', '4', '5', '6', '7']));
    expect(await cursor()).toEqual([4, 1]);
  });

  test('a row that fills the width is shown whole', async () => {
    const { painter, lines } = makeScreen();
    painter.paint(frameOf(['x'.repeat(COLUMNS), '日'.repeat(COLUMNS / 2), 'end']));
    expect((await lines()).slice(0, 3)).toEqual(['x'.repeat(COLUMNS), '日'.repeat(COLUMNS / 2), 'end']);
  });

  test('a change of size paints everything anew', () => {
    const { painter, written } = makeScreen();
    painter.paint(frameOf(['one', 'two']));
    written.length = 0;
    painter.resize(COLUMNS, HEIGHT);
    painter.paint(frameOf(['one', 'two']));
    expect(written.join('')).toMatch(/one.*two/);
  });

  test('restores the terminal once', () => {
    const { painter, written } = makeScreen();
    painter.restore();
    expect(written).toEqual([]);
    painter.paint(frameOf(['one']));
    expect(written.join('')).toContain('\x1b[?2004h');
    written.length = 0;
    painter.restore();
    painter.restore();
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/\x1b\[\?7h.*\x1b\[\?25h.*\x1b\[\?2004l/);
  });

  test('whatever is added, the screen and what has scrolled out are what a printing program would have left', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '日'), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(text, { minLength: 1, maxLength: 12 }), { maxLength: 8 }),
        async (batches) => {
          const { painter, lines } = makeScreen();
          const all: string[] = [];
          for (const batch of batches) {
            all.push(...batch);
            painter.paint(frameOf([...all, 'box']));
          }
          if (all.length === 0) painter.paint(frameOf(['box']));
          const shown = await lines();
          // The box stays where it was painted last; above it nothing is missing and nothing is twice.
          expect(shown.slice(0, all.length)).toEqual(all);
          expect(shown[all.length]).toBe('box');
        },
      ),
    );
  });
});
