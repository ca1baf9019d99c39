import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../log.ts';
import type { RepositoryError } from '../repository-error.ts';
import type { RepositoryReference } from '../repository.ts';
import { localFailureOf } from './git-failure.ts';
import type { Git, GitCredential, GitResult } from './git.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { GitProgress } from './progress.ts';

/** Each fetch leaves a pack behind; so many are made one again. */
const MAX_PACKS = 30;

export interface MirrorsOptions {
  readonly git: Git;
  /** Folder that holds them; made when it is needed. */
  readonly folder: string;
  /** Those not used for so long are removed. */
  readonly maxAgeMs: number;
  /** The least recently used are removed until all together are no larger. 0 = there are no mirrors. */
  readonly maxBytes: number;
  readonly log: Log;
}

/** What a mirror is brought up to date with. */
export interface MirrorSource {
  readonly url: string;
  /** Host of the forge; part of the mirror's name. */
  readonly host: string;
  readonly repository: RepositoryReference;
  readonly defaultBranch: string | null;
  readonly credential: GitCredential | null;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly marker: string | null;
  readonly onWait: () => void;
  readonly onProgress: (progress: GitProgress) => void;
  /** Says what a failure of the fetch means. */
  readonly failureOf: (result: GitResult) => RepositoryError;
}

/**
 * Bare copies of repositories, kept so that a further session need not fetch everything again. Nothing is ever given
 * out of a mirror before the forge has let this very caller fetch into it, so that it opens nothing to those who
 * have no access. No session works in a mirror or shares files with it: an agent could change what others get.
 */
export class Mirrors {
  readonly #options: MirrorsOptions;
  readonly #lock = new KeyedLock();

  constructor(options: MirrorsOptions) {
    this.#options = options;
  }

  /** Whether mirrors are kept at all. */
  get enabled(): boolean {
    return this.#options.maxBytes > 0;
  }

  /**
   * Brings the mirror of a repository up to date with the caller's credentials, makes it if need be, and lends it.
   * @param use - gets its path; nobody changes it meanwhile.
   * @throws RepositoryError, the abort reason of the signal, whatever `use` throws.
   */
  async withMirror<Result>(source: MirrorSource, use: (path: string) => Promise<Result>): Promise<Result> {
    const path = this.#pathOf(source);
    if (this.#lock.isHeld(path)) source.onWait();
    const result = await this.#lock.hold(path, source.signal, async () => {
      await this.#update(path, source);
      await this.#touch(path);
      return use(path);
    });
    await this.prune();
    return result;
  }

  /** Removes what is too old, and the least recently used of what is too much; failures are logged. */
  async prune(): Promise<void> {
    const { maxAgeMs, maxBytes, log } = this.#options;
    try {
      const mirrors = (await this.#list()).toSorted((a, b) => b.usedAt - a.usedAt);
      let total = 0;
      for (const { path, usedAt, bytes } of mirrors) {
        total += bytes;
        if (Date.now() - usedAt <= maxAgeMs && total <= maxBytes) continue;
        // One in use is the most recently used; it goes the next time.
        if (this.#lock.isHeld(path)) continue;
        await this.#lock.hold(path, new AbortController().signal, async () => this.#remove(path));
        total -= bytes;
        log.info({ path, bytes }, 'mirror of a repository removed');
      }
    } catch (err) {
      log.warn({ err }, 'mirrors of repositories cannot be cleared away');
    }
  }

  async #update(path: string, source: MirrorSource): Promise<void> {
    const { log } = this.#options;
    if (await exists(path)) {
      const result = await this.#fetch(path, source);
      if (result.code === 0) {
        await this.#repack(path, source);
        return;
      }
      const failure = source.failureOf(result);
      // The forge has just answered: what fails now is most likely the mirror, which a crash may have broken.
      if (failure.kind !== 'failed') throw failure;
      log.warn({ path, reason: failure.message }, 'mirror of a repository is broken; it is made anew');
      await this.#remove(path);
    }
    await this.#make(path, source);
  }

  async #make(path: string, source: MirrorSource): Promise<void> {
    const { git } = this.#options;
    const { signal, marker } = source;
    const draft = `${path}.${randomUUID()}.new`;
    await mkdir(draft, { recursive: true, mode: 0o700 });
    try {
      const args = ['init', '--quiet', '--bare', '--template=', '--', draft];
      const made = await git.run({ args, cwd: draft, signal, timeoutMs: source.timeoutMs, marker });
      if (made.code !== 0) throw localFailureOf(made, 'Making the mirror of the repository');
      const result = await this.#fetch(draft, source);
      if (result.code !== 0) throw source.failureOf(result);
      await rename(draft, path);
    } catch (error) {
      await this.#remove(draft);
      throw error;
    }
  }

  async #fetch(path: string, source: MirrorSource): Promise<GitResult> {
    const { git } = this.#options;
    const { url, credential, signal, timeoutMs, marker, onProgress, defaultBranch } = source;
    const refs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
    const result = await git.run({
      args: [
        // Loose objects are slow to copy.
        ...['-c', 'fetch.unpackLimit=1', '--git-dir', path],
        ...['fetch', '--prune', '--no-tags', '--force', '--progress', '--no-write-fetch-head'],
        ...['--', url, ...refs],
      ],
      cwd: path,
      signal,
      timeoutMs,
      protocols: 'http:https',
      credential,
      marker,
      onProgress,
    });
    if (result.code === 0 && defaultBranch !== null) {
      await writeFile(join(path, 'HEAD'), `ref: refs/heads/${defaultBranch}\n`);
    }
    return result;
  }

  async #repack(path: string, { signal, timeoutMs, marker }: MirrorSource): Promise<void> {
    const packs = (await readdir(join(path, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'));
    if (packs.length <= MAX_PACKS) return;
    const args = ['--git-dir', path, 'repack', '-a', '-d', '--quiet'];
    const result = await this.#options.git.run({ args, cwd: path, signal, timeoutMs, marker });
    if (result.code !== 0) this.#options.log.warn({ path, messages: result.messages }, 'repacking failed');
  }

  async #touch(path: string): Promise<void> {
    const now = new Date();
    await utimes(join(path, 'HEAD'), now, now);
  }

  /** Moves it away first: a crash in between must not leave half a mirror in its place. */
  async #remove(path: string): Promise<void> {
    const doomed = `${path}.${randomUUID()}.old`;
    await rename(path, doomed).catch(() => undefined);
    await rm(doomed, { recursive: true, force: true, maxRetries: 3 });
  }

  async #list(): Promise<readonly MeasuredMirror[]> {
    const { folder } = this.#options;
    const found: MeasuredMirror[] = [];
    for (const host of await entriesOf(folder)) {
      for (const owner of await entriesOf(join(folder, host))) {
        for (const name of await entriesOf(join(folder, host, owner))) {
          const path = join(folder, host, owner, name);
          if (name.endsWith('.git')) {
            const measured = await measure(path);
            if (measured !== null) found.push(measured);
          } else if (!this.#lock.isHeld(path.replace(/\.[^.]+\.(new|old)$/, ''))) {
            // Left behind by a server that was killed.
            await rm(path, { recursive: true, force: true, maxRetries: 3 });
          }
        }
      }
    }
    return found;
  }

  /** Names are compared without case, as GitHub does. */
  #pathOf({ host, repository }: MirrorSource): string {
    const parts = [host.replace(':', '_'), repository.owner, `${repository.name}.git`];
    return join(this.#options.folder, ...parts.map((part) => part.toLowerCase()));
  }
}

interface MeasuredMirror {
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
  readonly bytes: number;
}

/** `null` when somebody changes the mirror meanwhile; whoever does measures it afterwards. */
async function measure(path: string): Promise<MeasuredMirror | null> {
  try {
    const { mtimeMs: usedAt } = await stat(join(path, 'HEAD'));
    let bytes = 0;
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
    return { path, usedAt, bytes };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
