import { describe, expect, test } from 'vitest';
import type { LiveScreen, ScreenChange } from '../terminal/agent-terminal.ts';
import { Screen } from '../terminal/screen.ts';
import { terminalStream } from './terminal-stream.ts';

/** A screen whose viewers are told of what is written to it, as those of an agent are. */
class TestScreen implements LiveScreen, Disposable {
  readonly #viewers = new Set<(change: ScreenChange) => void>();
  readonly #screen = new Screen({
    columns: 20,
    rows: 4,
    onReply: () => {},
    onChange: () => {},
    onApplied: (data) => this.#tell({ kind: 'output', data }),
  });

  repaint(): { readonly columns: number; readonly rows: number; readonly data: string } {
    const { columns, rows } = this.#screen;
    return { columns, rows, data: this.#screen.repaint() };
  }

  onScreenChange(listener: (change: ScreenChange) => void): () => void {
    this.#viewers.add(listener);
    return () => this.#viewers.delete(listener);
  }

  write(data: string): Promise<void> {
    return new Promise((resolve) => this.#screen.write(data, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#tell({ kind: 'resized' });
  }

  [Symbol.dispose](): void {
    this.#screen.dispose();
  }

  #tell(change: ScreenChange): void {
    for (const viewer of this.#viewers) viewer(change);
  }
}

/** A viewer that takes its events when it is told to. */
class SlowViewer {
  readonly #waiting: (() => string)[] = [];

  constructor(screen: LiveScreen) {
    const { subscribe, frame } = terminalStream(screen);
    subscribe((event) => {
      const next = frame(event);
      if (next !== null) this.#waiting.push(next);
    });
  }

  take(): readonly string[] {
    return this.#waiting.splice(0).map((frame) => frame());
  }
}

describe('a viewer that is slow', () => {
  test('gets what has gathered in one piece', async () => {
    using screen = new TestScreen();
    const viewer = new SlowViewer(screen);
    await screen.write('one ');
    await screen.write('two');
    expect(viewer.take()).toEqual(['event: output\ndata: {"data":"one two"}\n\n']);
    await screen.write('!');
    expect(viewer.take()).toEqual(['event: output\ndata: {"data":"!"}\n\n']);
    expect(viewer.take()).toEqual([]);
  });

  test('is painted anew instead of being sent everything, and goes on from there', async () => {
    using screen = new TestScreen();
    const viewer = new SlowViewer(screen);
    for (let line = 0; line < 300; line += 1) await screen.write(`${'x'.repeat(1000)}\r\n`);
    await screen.write('\x1b[2J\x1b[Hdone');
    const [frame = '', ...more] = viewer.take();
    expect(more).toEqual([]);
    expect(frame).toMatch(/^event: repaint\ndata: \{"columns":20,"rows":4,"data":"done/);
    expect(frame.length).toBeLessThan(500);
    await screen.write('!');
    expect(viewer.take()).toEqual(['event: output\ndata: {"data":"!"}\n\n']);
  });

  test('is painted anew once after changes of the size', async () => {
    using screen = new TestScreen();
    const viewer = new SlowViewer(screen);
    screen.resize(30, 5);
    await screen.write('after');
    screen.resize(10, 6);
    const frames = viewer.take();
    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatch(/^event: repaint\ndata: \{"columns":10,"rows":6,"data":"after/);
  });
});
