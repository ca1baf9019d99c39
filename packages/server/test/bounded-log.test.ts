import { appendFile, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BoundedLogs, readTail, trimLog } from '../src/runtime/local/bounded-log.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bounded-log-'));
  path = join(folder, 'session.log');
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

describe('trimLog', () => {
  test('keeps the end of the file, from the start of a line', async () => {
    await writeFile(path, 'one\ntwo\nthree\nfour\n');
    trimLog(path, 8);
    expect(await readFile(path, 'utf8')).toBe('four\n');
  });

  test('a writer that appends goes on behind what was kept', async () => {
    const writer = await open(path, 'a');
    try {
      await writer.write('one\ntwo\nthree\n');
      trimLog(path, 7);
      await writer.write('four\n');
      expect(await readFile(path, 'utf8')).toBe('three\nfour\n');
    } finally {
      await writer.close();
    }
  });

  test('whatever the file: what is kept is its end, no longer than asked, in whole lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '日', ' ') })),
        fc.integer({ min: 1, max: 60 }),
        async (lines, keptBytes) => {
          const text = lines.map((line) => `${line}\n`).join('');
          await writeFile(path, text);
          trimLog(path, keptBytes);
          const kept = await readFile(path);
          expect(kept.length).toBeLessThanOrEqual(keptBytes);
          expect(`\n${text}`).toContain(kept.length > 0 ? `\n${kept.toString()}` : '');
          expect(text.endsWith(kept.toString())).toBe(true);
        },
      ),
    );
  });
});

describe('readTail', () => {
  test('gives the last lines, oldest first', async () => {
    await writeFile(path, 'one\ntwo\nthree');
    expect(await readTail(path, 2)).toEqual(['two', 'three']);
    expect(await readTail(path, 10)).toEqual(['one', 'two', 'three']);
  });

  test('a missing or empty file has no lines', async () => {
    expect(await readTail(path, 5)).toEqual([]);
    await writeFile(path, '');
    expect(await readTail(path, 5)).toEqual([]);
  });

  test('what was there before `from` is not given, unless the file has been cut since', async () => {
    await writeFile(path, 'old\nnew\n');
    expect(await readTail(path, 5, 4)).toEqual(['new']);
    expect(await readTail(path, 5, 400)).toEqual(['old', 'new']);
  });

  test('of a long file only the end is read', async () => {
    await writeFile(path, `${'x'.repeat(99)}\n`.repeat(10_000));
    const lines = await readTail(path, 1_000_000);
    expect(lines.length).toBeLessThan(3_000);
    expect(lines.every((line) => line.length === 99)).toBe(true);
  });
});

describe('BoundedLogs', () => {
  test('a log that has grown too long is cut to its end while it is watched, and only then', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const errors: unknown[] = [];
    const logs = new BoundedLogs((error) => errors.push(error));
    logs.add(join(folder, 'not-there-yet.log'));
    logs.add(path);
    await writeFile(path, `${'x'.repeat(99)}\n`.repeat(10_000));
    vi.advanceTimersByTime(10_000);
    await expect.poll(async () => (await stat(path)).size).toBeLessThanOrEqual(256 * 1024);

    logs.remove(path);
    logs.remove(join(folder, 'not-there-yet.log'));
    expect(vi.getTimerCount()).toBe(0);
    await appendFile(path, `${'x'.repeat(99)}\n`.repeat(10_000));
    vi.advanceTimersByTime(10_000);
    expect((await stat(path)).size).toBeGreaterThan(1_000_000);
    expect(errors).toEqual([]);
    logs[Symbol.dispose]();
  });
});
