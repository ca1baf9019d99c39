import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder } from '#server/data-folder.ts';
import { STORE_FILE } from '#server/open-store.ts';
import { configuredKeys } from '#server/store/key-source.ts';
import { openPostgres } from '#server/store/postgres.ts';
import { openSqlite } from '#server/store/sqlite.ts';
import type { Store } from '#server/store/store.ts';
import { HAS_POSTGRES, PostgresServer } from '#tools/postgres-server.ts';

/** Where one server keeps everything: a folder and, on PostgreSQL, a database of its own. */
export interface StoreSite extends AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  /** Identity of the data folder. */
  readonly instanceId: string;
  /** What the server's configuration must say about the store. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Opens the store; only while no server does. */
  open(): Promise<Store>;
  /** To be called when it was filled: does what the database does by itself within a minute. */
  settle(): Promise<void>;
}

/** An engine of the store. */
export interface StoreEngine extends AsyncDisposable {
  readonly name: 'SQLite' | 'PostgreSQL';
  site(): Promise<StoreSite>;
}

/** Sentence for a bench that has to leave PostgreSQL out. */
const NO_POSTGRES = 'PostgreSQL is not installed: measured on SQLite only.';

/** Does `work` on every engine that this machine has. @returns sentences on those that it has not. */
export async function onEveryEngine(
  work: (engine: StoreEngine) => Promise<void>,
): Promise<readonly string[]> {
  await using sqlite = sqliteEngine();
  await work(sqlite);
  if (!HAS_POSTGRES) return [NO_POSTGRES];
  await using postgres = await postgresEngine();
  await work(postgres);
  return [];
}

/** A place for a server on SQLite. */
export async function sqliteSite(): Promise<StoreSite> {
  return await newSite(
    {},
    async (dataDir) => openSqlite(join(dataDir, STORE_FILE), keysIn(dataDir)),
    async () => Promise.resolve(),
  );
}

function sqliteEngine(): StoreEngine {
  return {
    name: 'SQLite',
    site: sqliteSite,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A server of Debian's packages; its commits wait for the disk, as in earnest. */
async function postgresEngine(): Promise<StoreEngine> {
  const server = await PostgresServer.start({ durable: true });
  return {
    name: 'PostgreSQL',
    site: async () => {
      const url = await server.createDatabase();
      return newSite(
        { store: { url } },
        async (dataDir) => openPostgres(url, keysIn(dataDir)),
        async () => void (await server.query('vacuum analyze', url)),
      );
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}

async function newSite(
  config: Readonly<Record<string, unknown>>,
  open: (dataDir: string) => Promise<Store>,
  settle: () => Promise<void>,
): Promise<StoreSite> {
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
  const dataDir = join(folder, 'data');
  const instanceId = await identify(dataDir);
  return {
    folder,
    dataDir,
    instanceId,
    config,
    open: async () => open(dataDir),
    settle,
    [Symbol.asyncDispose]: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** The folder gets its identity when it is opened first. */
async function identify(dataDir: string): Promise<string> {
  await using data = await DataFolder.open(dataDir);
  return data.instanceId;
}

function keysIn(dataDir: string): ReturnType<typeof configuredKeys> {
  return configuredKeys({ key: undefined, keyFile: undefined, dataDir });
}
