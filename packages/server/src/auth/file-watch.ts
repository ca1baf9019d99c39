import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Editors write a file in several steps; this long after the last one it is complete. */
const SETTLE_MS = 200;

/** Network file systems and replaced links notify nobody, so the file is looked at as well. */
const POLL_MS = 5_000;

/**
 * Tells when a file's content may have changed, also when it is replaced or comes and goes. Owns a watch and timers
 * until it is closed.
 */
export class FileWatch implements Disposable {
  readonly #path: string;
  readonly #changed: () => void;
  readonly #poll: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #settling: NodeJS.Timeout | null = null;
  #seen: Promise<string>;
  #closed = false;

  /** `changed` is called after every change, once for changes that come together. */
  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
    this.#seen = fingerprint(path);
    this.#poll = setInterval(() => void this.#look(), POLL_MS).unref();
    try {
      // The folder, because a file that is replaced takes a watch on itself along.
      this.#watcher = watch(dirname(path), { persistent: false }, () => this.#settle());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Too many watches, or a file system without them: the poll remains.
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearInterval(this.#poll);
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#watcher?.close();
  }

  #settle(): void {
    if (this.#closed) return;
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.#look(), SETTLE_MS).unref();
  }

  async #look(): Promise<void> {
    const before = this.#seen;
    this.#seen = fingerprint(this.#path);
    if ((await before) !== (await this.#seen) && !this.#closed) this.#changed();
  }
}

/** Differs when the content may differ; never rejects. */
async function fingerprint(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'missing';
  }
}
