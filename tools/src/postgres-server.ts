import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from './free-port.ts';
import { findInPath, findPart } from './outside-parts.ts';

/** Whether tests `[needs postgresql]` can run. */
export const HAS_POSTGRES = findPart('postgresql') !== null;

const READY = /database system is ready to accept connections/;
/** A machine under load needs some seconds to make and start a cluster. */
const START_TIMEOUT_MS = 60_000;
/** A lost race for the port is tried again with another one. */
const MAX_STARTS = 5;

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A PostgreSQL server of its own in a scratch folder, on loopback. */
export class PostgresServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #bin: string;
  readonly #account: Account | null;
  readonly #password: string;
  readonly #durable: boolean;
  #port: number;
  #process: ChildProcess | null = null;

  private constructor(
    folder: string,
    bin: string,
    account: Account | null,
    password: string,
    durable: boolean,
  ) {
    this.#folder = folder;
    this.#bin = bin;
    this.#account = account;
    this.#password = password;
    this.#durable = durable;
    this.#port = 0;
  }

  /** @param options.durable - whether commits wait for the disk; slower, and only crash tests of the server need it. */
  static async start(options: { durable?: boolean } = {}): Promise<PostgresServer> {
    const initdb = findPart('postgresql');
    if (initdb === null) throw new Error('PostgreSQL is not installed');
    const folder = await mkdtemp(join(tmpdir(), 'postgres-test-'));
    const account = process.getuid?.() === 0 ? unprivilegedAccount() : null;
    const password = randomBytes(12).toString('hex');
    const server = new PostgresServer(folder, dirname(initdb), account, password, options.durable ?? false);
    try {
      await server.#initialise();
      await server.launch();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Starts the server that was stopped or killed, on the same port. */
  async launch(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#port === 0) this.#port = await freePort();
      const failure = await this.#tryLaunch();
      if (failure === null) return;
      if (attempt === MAX_STARTS) throw new Error(`PostgreSQL does not start:\n${failure}`);
      this.#port = 0;
    }
  }

  /** A new empty database. */
  async createDatabase(): Promise<string> {
    const name = `test_${randomUUID().replaceAll('-', '')}`;
    await this.query(`create database ${name}`);
    return this.urlOf(name);
  }

  urlOf(database: string): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.#port}/${database}`;
  }

  /** Runs a statement as the superuser. */
  async query(statement: string, url = this.urlOf('postgres')): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  /** The bytes of every file of the cluster; after a `checkpoint` that is all that was written. */
  async everythingOnDisk(): Promise<Buffer> {
    const entries = await readdir(join(this.#folder, 'data'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const contents: Buffer[] = [];
    // One after another: there are more of them than a process may have open.
    for (const { parentPath, name } of files) contents.push(await readFile(join(parentPath, name)));
    return Buffer.concat(contents);
  }

  /** Ends the server at once: `SIGKILL` as a crash does, `SIGQUIT` with its connections, `SIGINT` in order. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGQUIT');
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #initialise(): Promise<void> {
    const passwordFile = join(this.#folder, 'password');
    await writeFile(passwordFile, this.#password, { mode: 0o600 });
    if (this.#account !== null) {
      await chown(this.#folder, this.#account.uid, this.#account.gid);
      await chown(passwordFile, this.#account.uid, this.#account.gid);
    }
    await promisify(execFile)(
      join(this.#bin, 'initdb'),
      [
        ...['-D', join(this.#folder, 'data'), '-U', 'postgres', '--pwfile', passwordFile],
        ...['-A', 'scram-sha-256', '-E', 'UTF8', '--locale', 'C.UTF-8', '--no-sync', '--no-instructions'],
      ],
      { cwd: this.#folder, timeout: START_TIMEOUT_MS, ...this.#account },
    );
    await rm(passwordFile);
  }

  /** @returns `null` when the server is ready, else what it printed. */
  async #tryLaunch(): Promise<string | null> {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.#port),
      unix_socket_directories: this.#folder,
      shared_buffers: '16MB',
      max_connections: '50',
      autovacuum: 'off',
      ...(this.#durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    };
    const args = [
      ...['-D', join(this.#folder, 'data')],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const [command, ...rest] = this.#dyingWithUs(join(this.#bin, 'postgres'), args);
    const server = spawn(command, rest, {
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...this.#account,
    });
    this.#process = server;
    const printed: string[] = [];
    const lines = createInterface(server.stderr);
    return new Promise((resolve) => {
      const timer = setTimeout(() => server.kill('SIGQUIT'), START_TIMEOUT_MS);
      const settle = (failure: string | null): void => {
        clearTimeout(timer);
        resolve(failure);
      };
      // Read to the end: a full pipe would block the server.
      lines.on('line', (line) => {
        if (printed.length < 100) printed.push(line);
        if (READY.test(line)) settle(null);
      });
      server.once('error', (error) => settle(error.message));
      server.once('exit', () => settle(printed.join('\n')));
    });
  }

  /** A test run that is killed must not leave a server behind. */
  #dyingWithUs(command: string, args: readonly string[]): [string, ...string[]] {
    const setpriv = findInPath('setpriv');
    return setpriv === null
      ? [command, ...args]
      : [setpriv, '--pdeathsig', 'SIGQUIT', '--', command, ...args];
  }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedAccount(): Account {
  const accounts = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  );
  const account = accounts.get('postgres') ?? accounts.get('nobody');
  if (account === undefined) throw new Error('there is no account that PostgreSQL could run as');
  return account;
}
