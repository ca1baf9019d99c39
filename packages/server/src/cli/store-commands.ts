import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { DataFolder, DataFolderError } from '../data-folder.ts';
import { createLogger } from '../log.ts';
import { openStore, STORE_FILE } from '../open-store.ts';
import { ImportError, importProfiles, importSessions } from '../store/import-files.ts';
import type { ImportReport } from '../store/import-files.ts';
import { postgresEngine } from '../store/postgres.ts';
import { restoreBackup } from '../store/restore.ts';
import { sqliteEngine } from '../store/sqlite.ts';
import { StoreError } from '../store/store-error.ts';
import type { Store } from '../store/store.ts';
import { EXIT } from './cli-context.ts';
import type { CliContext } from './cli-context.ts';
import { withStoreConfig } from './store-config.ts';

/** Options of every command here. */
export interface StoreFlags {
  readonly config?: string;
}

export interface RestoreFlags extends StoreFlags {
  /** Also over what the store holds. */
  readonly force?: boolean;
}

export interface MigrateFlags extends StoreFlags {
  readonly sessions?: string;
  readonly profiles?: string;
}

/** What the reference appends to the name of its session file (proxy-api section 9). */
const PROFILES_SUFFIX = '.profiles';

interface Workplace {
  readonly config: Config;
  readonly say: (...lines: readonly string[]) => void;
  readonly withStore: <Result>(work: (store: Store) => Promise<Result>) => Promise<Result>;
  /** Keeps servers off the data folder meanwhile. */
  readonly withFolder: (work: (folder: DataFolder) => Promise<void>) => Promise<void>;
}

/** `backup FILE`: writes the store to a new file while the server may run. Answers the exit code, like the others. */
export async function backup(file: string, flags: StoreFlags, context: CliContext): Promise<number> {
  return run(flags, context, async ({ say, withStore }) => {
    const path = resolve(context.workingDirectory, file);
    await withStore(async (store) => {
      await store.backup(path);
      say(
        `wrote ${path}, a backup of ${store.location}`,
        'Secrets in it are sealed: keep the encryption key too, and at another place.',
      );
    });
  });
}

/** `restore FILE`: replaces the content of the store by a backup; no server may run. */
export async function restore(file: string, flags: RestoreFlags, context: CliContext): Promise<number> {
  return run(flags, context, async ({ config, say, withFolder }) => {
    const path = resolve(context.workingDirectory, file);
    await withFolder(async (folder) => {
      const { url } = config.store;
      const engine =
        url === null ? sqliteEngine(join(folder.path, STORE_FILE)) : postgresEngine(url.reveal());
      const { location } = engine;
      const { rows, keyIds } = await restoreBackup(engine, path, { force: flags.force === true });
      say(
        `restored ${location} from ${path}:`,
        ...Object.entries(rows).map(([table, count]) => `  ${table}: ${count}`),
        `The server needs the encryption key ${keyIds.join(', ')} to open it.`,
      );
    });
  });
}

/** `migrate`: imports the files of the reference, each once; no server may run. */
export async function migrate(flags: MigrateFlags, context: CliContext): Promise<number> {
  return run(flags, context, async ({ config, say, withStore, withFolder }) => {
    const at = (file: string): string => resolve(context.workingDirectory, file);
    const sessions = at(flags.sessions ?? config.persistence.file_path);
    const profiles = at(flags.profiles ?? `${sessions}${PROFILES_SUFFIX}`);
    await withFolder(async ({ instanceId }) => {
      await withStore(async (store) => {
        if (store.migrated.length > 0) say(`brought the store to this version: ${store.migrated.join(', ')}`);
        const now = new Date();
        // A file that was named must be there; one that nobody named need not.
        if (flags.sessions !== undefined || (await isThere(sessions))) {
          sayImport(say, 'sessions', sessions, await importSessions(store, sessions, instanceId, now));
        } else say(`no session file ${sessions}`);
        if (flags.profiles !== undefined || (await isThere(profiles))) {
          sayImport(say, 'profiles', profiles, await importProfiles(store, profiles, now));
        } else say(`no profile file ${profiles}`);
      });
    });
  });
}

function sayImport(say: Workplace['say'], what: string, path: string, report: ImportReport): void {
  say(
    `imported ${report.imported} ${what} from ${path}`,
    ...report.skipped.map((text) => `  left out: ${text}`),
    ...report.unreadable.map((text) => `  encrypted by the other program, so left out: ${text}`),
  );
}

async function run(
  flags: StoreFlags,
  context: CliContext,
  work: (workplace: Workplace) => Promise<void>,
): Promise<number> {
  const codeOf = (error: Error): number | null =>
    [StoreError, ImportError, DataFolderError].some((kind) => error instanceof kind) ? EXIT.failed : null;
  const options = { file: flags.config, withoutStore: 'persistence is off, so there is no store', codeOf };
  return withStoreConfig(context, options, async (config) => {
    const log = await createLogger({ ...config, verbose: false, log_level: 'warn' }, context.stderr);
    await work({
      config,
      say: (...lines) => context.stdout.write(lines.map((line) => `${line}\n`).join('')),
      withStore: async (use) => {
        const store = await openStore(config, log);
        try {
          return await use(store);
        } finally {
          await store[Symbol.asyncDispose]();
        }
      },
      withFolder: async (use) => {
        const folder = await DataFolder.open(config.data_dir);
        try {
          await use(folder);
        } finally {
          await folder[Symbol.asyncDispose]();
        }
      },
    });
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
