import { ftruncateSync, fstatSync, openSync, closeSync, readSync, writeSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/** A log longer than this is cut … */
const MAX_LOG_BYTES = 512 * 1024;
/** … to its last part of this size. */
const KEPT_LOG_BYTES = 256 * 1024;
/** How often the sizes are looked at; a program that prints 10 MB/s takes 20 MB of disk meanwhile. */
const CHECK_INTERVAL_MS = 2_000;
/** Read by `readTail`: enough for hundreds of lines of a terminal. */
const TAIL_BYTES = KEPT_LOG_BYTES;

/** Keeps log files that other processes append to (`O_APPEND`) from growing without end. One timer for all. */
export class BoundedLogs implements Disposable {
  readonly #paths = new Set<string>();
  readonly #onError: (error: unknown, path: string) => void;
  #timer: NodeJS.Timeout | null = null;
  #isChecking = false;

  constructor(onError: (error: unknown, path: string) => void) {
    this.#onError = onError;
  }

  /** Watches the size of a file, which need not exist yet. */
  add(path: string): void {
    this.#paths.add(path);
    this.#timer ??= setInterval(() => void this.#check(), CHECK_INTERVAL_MS).unref();
  }

  /** No longer watches the file. */
  remove(path: string): void {
    this.#paths.delete(path);
    if (this.#paths.size === 0) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    for (const path of this.#paths) {
      try {
        if ((await stat(path)).size > MAX_LOG_BYTES) trimLog(path, KEPT_LOG_BYTES);
      } catch (error) {
        if (!isMissing(error)) this.#onError(error, path);
      }
    }
    this.#isChecking = false;
  }
}

/**
 * Cuts a file to its last `keptBytes`, from the start of a line, in place: writers with `O_APPEND` go on.
 * Synchronous, so that what is written in between – and is lost – is as little as possible.
 */
export function trimLog(path: string, keptBytes: number): void {
  const file = openSync(path, 'r+');
  try {
    const buffer = Buffer.allocUnsafe(keptBytes);
    const { size } = fstatSync(file);
    if (size <= keptBytes) return;
    const length = readSync(file, buffer, 0, keptBytes, size - keptBytes);
    const tail = buffer.subarray(0, length);
    const kept = tail.subarray(tail.indexOf('\n') + 1);
    writeSync(file, kept, 0, kept.length, 0);
    let end = kept.length;
    // Whatever was appended while the tail was copied belongs behind it.
    for (let from = size; ;) {
      const count = readSync(file, buffer, 0, buffer.length, from);
      if (count === 0) break;
      writeSync(file, buffer, 0, count, end);
      from += count;
      end += count;
    }
    ftruncateSync(file, end);
  } finally {
    closeSync(file);
  }
}

/**
 * The last lines of a log, oldest first, at most `maxLines` and 256 KiB; none when there is no file.
 * @param from - byte at which the interesting part begins.
 */
export async function readTail(path: string, maxLines: number, from = 0): Promise<readonly string[]> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  try {
    const { size } = await file.stat();
    // After a cut the file may be shorter than `from`.
    const begin = Math.max(from <= size ? from : 0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - begin), 0, size - begin, begin);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (begin > from) lines.shift();
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-maxLines);
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
