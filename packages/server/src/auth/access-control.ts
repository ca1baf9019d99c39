import type { Config } from '../config/schema.ts';
import { ConfigError } from '../config/config-error.ts';
import type { RootLog } from '../log.ts';
import type { Store } from '../store/store.ts';
import { AuditLog } from './audit-log.ts';
import type { Authenticator, RequestOrigin } from './authenticate.ts';
import { FileWatch } from './file-watch.ts';
import { IssuedKeys } from './issued-keys.ts';
import type { Principal } from './principal.ts';
import { SessionAccess } from './session-access.ts';
import { SessionShares } from './session-shares.ts';

/** Open connections are checked this often for credentials and shares that have expired. */
const RECHECK_MS = 5_000;

const SESSION_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Somebody wanted to use a session and has no right to. */
export interface SessionRefusal extends RequestOrigin {
  readonly principal: Principal;
  /** First segment of the path as it was sent. */
  readonly segment: string;
  readonly use: 'read' | 'write';
}

/** Everything that decides who may do what, and the record of it. */
export class AccessControl implements AsyncDisposable {
  readonly authenticator: Authenticator;
  readonly audit: AuditLog;
  readonly keys: IssuedKeys;
  readonly shares: SessionShares;
  readonly sessions: SessionAccess;
  readonly #log: RootLog;
  readonly #keysFile: string;
  readonly #listeners = new Set<() => void>();
  readonly #recheck: NodeJS.Timeout;
  #watch: FileWatch | null = null;

  private constructor(config: Config, authenticator: Authenticator, store: Store, log: RootLog) {
    const own = log.child({ module: 'auth' });
    const changed = (): void => this.#changed();
    this.authenticator = authenticator;
    this.audit = new AuditLog(store.audit, own);
    this.keys = new IssuedKeys(store, config.limits.api_keys_per_user, own, changed);
    this.shares = new SessionShares(store, config.limits.shares_per_session, own, changed);
    this.sessions = new SessionAccess((sessionId, userId) => this.shares.accessOf(sessionId, userId));
    this.#log = log;
    this.#keysFile = authenticator.enabled ? config.auth.keys_file : '';
    authenticator.accept(this.keys);
    authenticator.accept(this.shares);
    authenticator.reportRefusals(({ address, requestId }) =>
      this.audit.noteRefusal({
        actor: null,
        actorKeyId: null,
        action: 'authentication',
        outcome: 'denied',
        targetKind: null,
        targetId: null,
        remoteAddress: address,
        requestId,
        details: {},
      }),
    );
    this.#recheck = setInterval(changed, RECHECK_MS).unref();
  }

  /** Reads keys and shares, and keeps up with them and with the keys file. @throws StoreError */
  static async open(
    config: Config,
    authenticator: Authenticator,
    store: Store,
    log: RootLog,
  ): Promise<AccessControl> {
    const access = new AccessControl(config, authenticator, store, log);
    try {
      await access.keys.start();
      await access.shares.start();
    } catch (error) {
      await access[Symbol.asyncDispose]();
      throw error;
    }
    const { enabled, api_keys: inline } = config.auth;
    if (enabled && access.#keysFile === '' && inline.length === 0 && access.keys.size === 0) {
      log.warn('there is no API key, every request is refused; make one with: agentapi-proxy keys create');
    }
    if (access.#keysFile !== '') {
      access.#watch = new FileWatch(access.#keysFile, () => void access.#keysFileChanged());
    }
    return access;
  }

  /** Records that somebody wanted a session that they may not use. */
  recordRefusal({ principal, segment, address, requestId, use }: SessionRefusal): void {
    this.audit.noteRefusal({
      actor: principal.userId,
      actorKeyId: principal.keyId ?? null,
      action: 'session.use',
      outcome: 'denied',
      targetKind: 'session',
      // What was sent in place of an id can be long, and can be a secret that went astray.
      targetId: SESSION_ID.test(segment) ? segment : null,
      remoteAddress: address,
      requestId,
      details: { use },
    });
  }

  /** Calls `listener` whenever what somebody may do can have changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Reads the keys file again and answers how many keys there are in it.
   * @param cause - for the audit log, such as `signal`.
   * @throws ConfigError when it is broken; the keys from before stay (DF-08).
   */
  async reload(cause: 'signal' | 'file changed'): Promise<number> {
    try {
      const keys = this.authenticator.reload();
      // Before anything else happens: what is open shows nothing more to those who have lost a right.
      this.#changed();
      await this.#recordReload('allowed', { cause, keys });
      return keys;
    } catch (error) {
      await this.#recordReload('failed', { cause });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#recheck);
    this.#watch?.[Symbol.dispose]();
    await this.keys[Symbol.asyncDispose]();
    await this.shares[Symbol.asyncDispose]();
    await this.audit[Symbol.asyncDispose]();
  }

  async #keysFileChanged(): Promise<void> {
    try {
      const keys = await this.reload('file changed');
      this.#log.info({ keys, file: this.#keysFile }, 'keys file read again');
    } catch (error) {
      const reason = error instanceof ConfigError ? error.message : 'it cannot be read';
      this.#log.error({ reason }, 'the keys file is broken; the keys from before stay in use');
    }
  }

  async #recordReload(
    outcome: 'allowed' | 'failed',
    details: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    await this.audit.record({
      actor: null,
      actorKeyId: null,
      action: 'config.reload',
      outcome,
      targetKind: null,
      targetId: null,
      remoteAddress: null,
      requestId: null,
      details,
    });
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
