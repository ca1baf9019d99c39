import { join } from 'node:path';
import { isPersistent } from './config/consistency.ts';
import type { Config } from './config/schema.ts';
import type { Log } from './log.ts';
import { configuredKeys } from './store/key-source.ts';
import type { KeySource } from './store/key-source.ts';
import { openMemory, openSqlite } from './store/sqlite.ts';
import type { StoreObserver } from './store/observer.ts';
import type { Store } from './store/store.ts';

/** The database in the data folder. */
export const STORE_FILE = 'store.db';

/**
 * Opens the store that the configuration names.
 * @throws StoreError with what to do; it is never replaced by another one (DF-31).
 */
export async function openStore(config: Config, log: Log, observer?: StoreObserver): Promise<Store> {
  if (!isPersistent(config)) {
    log.warn('persistence is off: sessions, profiles and keys are in memory, and gone when the server ends');
    return openMemory(observer);
  }
  const { key, key_file: keyFile } = config.encryption;
  const keys = configuredKeys({ key, keyFile, dataDir: config.data_dir });
  const { url } = config.store;
  const store =
    url === null
      ? await openSqlite(join(config.data_dir, STORE_FILE), keys, observer)
      : await openDatabaseServer(url.reveal(), keys, log, observer);
  log.info({ store: store.location, encryption: keys.name }, 'store opened');
  if (store.migrated.length > 0) log.info({ steps: store.migrated }, 'store brought to this version');
  return store;
}

/** Its client library is not loaded where nobody uses it. */
async function openDatabaseServer(
  url: string,
  keys: KeySource,
  log: Log,
  observer?: StoreObserver,
): Promise<Store> {
  const { openPostgres } = await import('./store/postgres.ts');
  return openPostgres(url, keys, {
    // The error itself has the whole client on it, with everything that it connects with.
    onConnectionLost: ({ message }) => log.warn({ reason: message }, 'a connection to the store was lost'),
    observer,
  });
}
