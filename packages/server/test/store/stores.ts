import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyFile, type KeySource } from '../../src/store/key-source.ts';
import { openPostgres, postgresEngine } from '../../src/store/postgres.ts';
import { openSqlite, sqliteEngine } from '../../src/store/sqlite.ts';
import type { NewProfile } from '../../src/store/profiles.ts';
import type { NewSession } from '../../src/store/session-record.ts';
import type { Engine, Store } from '../../src/store/store.ts';
import { HAS_POSTGRES, PostgresServer } from '../../../../tools/src/postgres-server.ts';

/** Names of the steps that make the tables, in order. */
export const STEPS = ['0001-initial', '0002-workspace-name', '0003-conversations', '0004-profile-of-session'];

/** Where the stores of one test lie: a scratch folder and, on PostgreSQL, a database. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  /** The default key file of the site. */
  readonly keys: KeyFile;
  open(keys?: KeySource): Promise<Store>;
  /** Another connection, without looking at tables or keys. */
  engine(): Engine;
  /** Everything that is on disk for the store. */
  atRest(): Promise<Buffer>;
}

/** An engine that the contract is held to. */
export interface TestEngine extends AsyncDisposable {
  readonly name: string;
  readonly available: boolean;
  site(): Promise<Site>;
}

export function testEngines(): readonly TestEngine[] {
  return [sqliteTestEngine(), postgresTestEngine()];
}

export function sqliteTestEngine(): TestEngine {
  return {
    name: 'SQLite',
    available: true,
    site: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'store-test-'));
      const path = join(folder, 'store.db');
      const keys = new KeyFile(join(folder, 'encryption.key'), true);
      return {
        folder,
        keys,
        open: (source = keys) => openSqlite(path, source),
        engine: () => sqliteEngine(path),
        atRest: async () => {
          const names = (await readdir(folder)).filter((name) => name.startsWith('store.db'));
          return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))));
        },
        [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
      };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export function postgresTestEngine(): TestEngine {
  let server: Promise<PostgresServer> | null = null;
  return {
    name: 'PostgreSQL [needs postgresql]',
    available: HAS_POSTGRES,
    site: async () => {
      server ??= PostgresServer.start();
      const postgres = await server;
      const url = await postgres.createDatabase();
      const folder = await mkdtemp(join(tmpdir(), 'store-test-'));
      const keys = new KeyFile(join(folder, 'encryption.key'), true);
      return {
        folder,
        keys,
        open: (source = keys) => openPostgres(url, source),
        engine: () => postgresEngine(url),
        atRest: async () => {
          await postgres.query('checkpoint');
          return postgres.everythingOnDisk();
        },
        [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await (await server)?.[Symbol.asyncDispose]();
    },
  };
}

/** A session of `alice` with nothing special. */
export function newSession(
  changes: Partial<Omit<NewSession, 'facts'>> & { readonly facts?: Partial<NewSession['facts']> } = {},
): NewSession {
  const { facts, ...others } = changes;
  return {
    facts: {
      id: randomUUID(),
      ownerId: 'alice',
      agent: 'demo',
      agentType: 'custom',
      agentServer: 'embedded',
      tags: {},
      environmentNames: [],
      createdAt: new Date(),
      ...facts,
    },
    instanceId: 'instance-1',
    port: 9000,
    start: {
      environment: {},
      agent: { command: 'agent', args: [], env: {} },
      agentArgs: [],
      systemPrompt: null,
    },
    message: null,
    ...others,
  };
}

/** A profile of `alice` with nothing special. */
export function newProfile(changes: Partial<NewProfile> = {}): NewProfile {
  const now = new Date();
  return {
    id: randomUUID(),
    userId: 'alice',
    name: 'a profile',
    description: '',
    environment: {},
    repositoryHistory: [],
    systemPrompt: '',
    messageTemplates: [],
    agent: null,
    agentArgs: [],
    script: null,
    repository: null,
    isDefault: false,
    createdAt: now,
    updatedAt: now,
    lastUsedAt: null,
    ...changes,
  };
}
