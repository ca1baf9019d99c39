import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteFile from 'better-sqlite3';
import { endProcesses, identityOf, isAlive } from '@agentapi-proxy/agent-server/process-tree';
import { eventually, startServer } from './server-process.ts';
import type { ServerExit, ServerOptions, ServerProcess } from './server-process.ts';

/** Servers that follow one another on the same data folder; at most one runs at a time. */
export class ServerSeries implements AsyncDisposable {
  readonly folder: string;
  #options: ServerOptions;
  #current: ServerProcess;

  private constructor(folder: string, options: ServerOptions, current: ServerProcess) {
    this.folder = folder;
    this.#options = options;
    this.#current = current;
  }

  static async start(options: ServerOptions = {}): Promise<ServerSeries> {
    const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-series-'));
    try {
      return new ServerSeries(folder, options, await startServer({ ...options, folder }));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The server that runs now, or ran last. */
  get server(): ServerProcess {
    return this.#current;
  }

  /** Kills the server so that it can do nothing about it. */
  async crash(): Promise<void> {
    this.#current.kill('SIGKILL');
    await this.#current.exited;
  }

  /** Starts the next server. */
  async next(changes: ServerOptions = {}): Promise<ServerProcess> {
    this.#options = { ...this.#options, ...changes };
    this.#current = await startServer({ ...this.#options, folder: this.folder });
    return this.#current;
  }

  async crashAndRestart(changes: ServerOptions = {}): Promise<ServerProcess> {
    await this.crash();
    return this.next(changes);
  }

  async stop(): Promise<ServerExit> {
    return this.#current.stop();
  }

  /** Pids of all processes of a session, the agent server first. */
  async pidsOf(sessionId: string): Promise<readonly number[]> {
    const texts = await this.#current.sessionProcesses(sessionId);
    return texts.map((text) => Number(text.replace('pid ', '')));
  }

  /** Kills every process of a session at once, as the end of the machine would. */
  async killSession(sessionId: string): Promise<void> {
    const pids = await this.pidsOf(sessionId);
    const found = await Promise.all(pids.map(identityOf));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    // Not by its marker: a process that ends loses its environment some time before its port.
    for (const identity of found.filter((one) => one !== null)) {
      await eventually('the processes of the session are gone', async () => !(await isAlive(identity)));
    }
  }

  /** A file or folder of a session; without a name its folder. */
  sessionPath(sessionId: string, ...names: readonly string[]): string {
    return join(this.#current.dataDir, 'sessions', sessionId, ...names);
  }

  /** Works on the database of a data folder. */
  withDatabase<Result>(work: (database: SqliteFile.Database) => Result): Result {
    const database = new SqliteFile(join(this.#current.dataDir, 'store.db'), { timeout: 5_000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  /** Ends the server and everything it has left, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Ends processes that a test has made look like those of a session. */
export async function endMarked(marker: string): Promise<void> {
  await endProcesses({ find: { marker: { value: marker, match: 'equal' } }, graceMs: 0 });
}
