import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { AuditEvent } from './audit.ts';
import type { ResealReport } from './reseal.ts';
import type { Store } from './store.ts';

/** How soon a key that another process has made is used here, too; as soon as other processes' API keys. */
const FOLLOW_KEYS_MS = 5_000;

/** Ages are counted in days. */
const PRUNE_MS = 3_600_000;

/** Shares that have ended open nothing; the time only bridges clocks that differ. */
const ENDED_SHARES_MS = 86_400_000;

/** Lists show API keys that have ended; a season is enough to see what became of one. */
const ENDED_KEYS_MS = 90 * 86_400_000;

export interface StoreUpkeepOptions {
  readonly store: Store;
  /** How long entries of the audit log are kept; `Infinity` = for ever. */
  readonly auditMs: number;
  readonly log: Log;
}

/**
 * What a store needs while it is in use: a rotation of keys that was interrupted is finished, one by another process
 * is followed, and what is too old is forgotten. All of it in the background: a failure is logged and tried again.
 */
export class StoreUpkeep implements AsyncDisposable {
  readonly #options: StoreUpkeepOptions;
  readonly #closing = new AbortController();
  readonly #following: NodeJS.Timeout;
  readonly #pruning: NodeJS.Timeout;
  /** What fails at present, so that it is logged once. */
  readonly #failing = new Set<string>();
  #last: Promise<void> = Promise.resolve();
  #busy = false;

  /** Begins at once. */
  constructor(options: StoreUpkeepOptions) {
    this.#options = options;
    this.#following = setInterval(() => this.#unlessBusy(() => this.#followKeys()), FOLLOW_KEYS_MS).unref();
    this.#pruning = setInterval(() => void this.#next(async () => this.#prune()), PRUNE_MS).unref();
    void this.#next(async () => {
      await this.#attempt('finish a change of the encryption key', async () => {
        if (await options.store.needsReseal()) await this.#reseal();
      });
      await this.#prune();
    });
  }

  /** Looks for a newer encryption key now; returns when everything is sealed with it. */
  async followKeys(): Promise<void> {
    await this.#next(async () => this.#followKeys());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#following);
    clearInterval(this.#pruning);
    this.#closing.abort();
    await this.#last;
  }

  #unlessBusy(work: () => Promise<void>): void {
    if (!this.#busy) void this.#next(work);
  }

  async #next(work: () => Promise<void>): Promise<void> {
    const before = this.#last;
    const run = async (): Promise<void> => {
      await before;
      if (this.#closing.signal.aborted) return;
      this.#busy = true;
      try {
        await work();
      } finally {
        this.#busy = false;
      }
    };
    this.#last = run();
    await this.#last;
  }

  async #followKeys(): Promise<void> {
    await this.#attempt('use the newest encryption key', async () => {
      if (await this.#options.store.followKeys()) await this.#reseal();
    });
  }

  async #reseal(): Promise<void> {
    const { store, log } = this.#options;
    const report = await store.reseal({ signal: this.#closing.signal });
    const { resealed, unreadable, retired } = report;
    if (unreadable.length > 0) log.error({ unreadable }, 'no encryption key opens some secrets');
    if (resealed + retired.length === 0) return;
    log.info({ resealed, retired }, 'secrets sealed again with the newest encryption key');
    await store.audit.append(resealEvent(report));
  }

  async #prune(): Promise<void> {
    const { store, auditMs, log } = this.#options;
    const now = Date.now();
    await this.#attempt('forget shares that have ended', async () => {
      const shares = await store.shares.prune(new Date(now - ENDED_SHARES_MS));
      if (shares > 0) log.info({ shares }, 'shares that have ended forgotten');
    });
    await this.#attempt('forget API keys that have ended', async () => {
      const apiKeys = await store.apiKeys.prune(new Date(now - ENDED_KEYS_MS));
      if (apiKeys > 0) log.info({ apiKeys }, 'API keys that have ended forgotten');
    });
    if (!Number.isFinite(auditMs)) return;
    await this.#attempt('forget old entries of the audit log', async () => {
      const before = new Date(now - auditMs);
      let entries = 0;
      for (;;) {
        const pruned = await store.audit.prune(before);
        entries += pruned;
        if (pruned === 0 || this.#closing.signal.aborted) break;
        await nextTurn();
      }
      if (entries === 0) return;
      await store.audit.append(pruneEvent(before, entries));
      log.info({ entries, before }, 'old entries of the audit log forgotten');
    });
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failing.delete(what);
    } catch (error) {
      if (this.#closing.signal.aborted || this.#failing.has(what)) return;
      this.#failing.add(what);
      this.#options.log.error({ err: error }, `the store cannot ${what}`);
    }
  }
}

function resealEvent({ resealed, unreadable, retired }: ResealReport): AuditEvent {
  const details = { resealed, unreadable: unreadable.length, retired: retired.join(' '), via: 'server' };
  return ownEvent('encryption.rotate', 'store', details);
}

function pruneEvent(before: Date, entries: number): AuditEvent {
  return ownEvent('audit.prune', 'store', { before: before.toISOString(), entries });
}

function ownEvent(action: string, targetKind: string, details: AuditEvent['details']): AuditEvent {
  return {
    at: new Date(),
    actor: null,
    actorKeyId: null,
    action,
    outcome: 'allowed',
    targetKind,
    targetId: null,
    remoteAddress: null,
    requestId: null,
    details,
  };
}
