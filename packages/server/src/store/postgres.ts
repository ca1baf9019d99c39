import { Kysely, PostgresDialect } from 'kysely';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { Pool, TypeOverrides, types } from 'pg';
import type { PoolClient } from 'pg';
import { backupLines } from './backup.ts';
import type { KeySource } from './key-source.ts';
import { statementsTo } from './observer.ts';
import type { StoreObserver } from './observer.ts';
import { isServerError, postgresError } from './postgres-errors.ts';
import { Store } from './store.ts';
import { StoreError } from './store-error.ts';
import type { Engine } from './store.ts';
import type { Database, Dialect, Tables } from './tables.ts';

export const POSTGRES: Dialect = { engine: 'postgres', locksRows: true };

/** A server that cannot be reached is reported, not waited for. */
const CONNECT_TIMEOUT_MS = 10_000;
/** The longest statement of ours is a search through all sessions. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** The server gives up first, so that its reason arrives; this one is for a server that has gone silent. */
const QUERY_TIMEOUT_MS = 40_000;
const LOCK_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;
const DEFAULT_POOL_SIZE = 10;

export interface PostgresOptions {
  /** Most connections at a time; default 10. */
  readonly poolSize?: number;
  /** Told when an idle connection breaks; the next statement opens another one. */
  readonly onConnectionLost?: (error: Error) => void;
  readonly observer?: StoreObserver | undefined;
}

/**
 * Opens the store in a PostgreSQL database.
 * @param url - `postgres://user:password@host:port/database`, with the parameters of libpq such as `sslmode`.
 * @throws StoreError when it cannot be reached or used, is a newer version's, or its encryption key is not there.
 */
export async function openPostgres(
  url: string,
  keys: KeySource,
  options: PostgresOptions = {},
): Promise<Store> {
  return Store.on(postgresEngine(url, options), keys);
}

/** @throws StoreError for an unusable URL. */
export function postgresEngine(url: string, options: PostgresOptions = {}): Engine {
  const location = locationOf(url);
  const pool = new Pool({
    connectionString: url,
    application_name: 'agentapi-proxy',
    max: options.poolSize ?? DEFAULT_POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types: wholeNumbers(),
  });
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => options.onConnectionLost?.(error));
  // So would that of one on its way in or out of the pool; the next statement fails and says why.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const db: Database = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new TranslatingPool(pool, location) }),
    ...(options.observer === undefined ? {} : { log: statementsTo(options.observer) }),
  });
  return {
    db,
    dialect: POSTGRES,
    location,
    inMemory: false,
    backup: async (path) => backupLines(db, POSTGRES, path),
  };
}

/** Statements instead of start parameters: connection poolers in between refuse unknown parameters. */
const SETTINGS = `
  set statement_timeout = ${STATEMENT_TIMEOUT_MS};
  set lock_timeout = ${LOCK_TIMEOUT_MS};
  set idle_in_transaction_session_timeout = ${QUERY_TIMEOUT_MS};
  set synchronous_commit = on`;

/** Whole numbers of eight bytes arrive as numbers, as from SQLite; ours are far below 2^53. */
function wholeNumbers(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, Number);
  return overrides;
}

/** Host, port and database of the URL: no user, no password, no parameters. */
function locationOf(url: string): string {
  if (!URL.canParse(url)) {
    throw new StoreError(
      'unavailable',
      'store.url is no URL; expected postgres://user:password@host:5432/database',
    );
  }
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** Gives connections back broken when they are, and says what failed in our words. */
class TranslatingPool implements PostgresPool {
  readonly #pool: Pool;
  readonly #location: string;
  readonly #prepared = new WeakSet<PoolClient>();

  constructor(pool: Pool, location: string) {
    this.#pool = pool;
    this.#location = location;
  }

  async connect(): Promise<PostgresPoolClient> {
    let client: PoolClient | null = null;
    try {
      client = await this.#pool.connect();
      if (!this.#prepared.has(client)) {
        await client.query(SETTINGS);
        this.#prepared.add(client);
      }
      return new TranslatingClient(client, this.#location);
    } catch (error) {
      client?.release(true);
      throw postgresError(error, this.#location);
    }
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}

class TranslatingClient implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #typed: PostgresPoolClient;
  readonly #location: string;
  #broken = false;
  /** A client that breaks while nobody listens would end the process; the statement under way fails, too. */
  readonly #onError = (): void => {
    this.#broken = true;
  };

  constructor(client: PoolClient, location: string) {
    this.#client = client;
    this.#typed = client;
    this.#location = location;
    client.on('error', this.#onError);
  }

  query<Row>(statement: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query<Row>(
    statement: string | PostgresCursor<Row>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<Row>> | PostgresCursor<Row> {
    if (typeof statement !== 'string') throw new TypeError('cursors are not used');
    return this.#run(statement, parameters);
  }

  release(): void {
    this.#client.off('error', this.#onError);
    this.#client.release(this.#broken);
  }

  async #run<Row>(statement: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    try {
      return await this.#typed.query<Row>(statement, parameters);
    } catch (error) {
      // After a failure of the connection nobody knows where its transaction stands.
      if (!isServerError(error)) this.#broken = true;
      throw postgresError(error, this.#location);
    }
  }
}
