import { randomBytes, randomUUID } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ApiKeyRecord } from '../store/api-keys.ts';
import type { Store } from '../store/store.ts';
import { canAccess, isAdmin } from './authorize.ts';
import { CredentialIndex, digestOf } from './credential-index.ts';
import type { CredentialSource } from './credential-index.ts';
import { allowedPermissions, checkRights } from './key-scope.ts';
import type { Role } from './permissions.ts';
import type { Principal } from './principal.ts';
import { Refresher } from './refresher.ts';

/** The random part of a key: 128 bits, as the reference makes it. */
const SECRET_BYTES = 16;

/** How long the old key of a rotation is good, unless it is told otherwise. */
export const DEFAULT_OVERLAP_MS = 24 * 3_600_000;

/**
 * A key can be replaced also by whoever has as many as allowed, and until the old one ends there is one more. Nobody has
 * as many of them as this at a time who does not make them on purpose.
 */
const MOST_IN_ROTATION = 1_000;

/** What a new key shall be. */
export interface KeyRequest {
  readonly name: string;
  /** Absent: the creator. */
  readonly userId?: string;
  readonly role: Role;
  /** Absent: those of the role, as far as the creator holds them. */
  readonly permissions?: readonly string[];
  /** `null` = never, or as late as the creator's own key. */
  readonly expiresAt: Date | null;
  /** What the key begins with; default `ap`. */
  readonly prefix?: string;
}

/** A key that has just been made: the only time it is seen. */
export interface IssuedKey {
  readonly record: ApiKeyRecord;
  readonly key: string;
}

/** API keys that were made while the server is in use, and who may make, see and revoke which. */
export class IssuedKeys implements CredentialSource, AsyncDisposable {
  readonly #store: Store;
  readonly #maxPerUser: number;
  readonly #clock: () => number;
  readonly #refresher: Refresher;
  readonly #log: Log;
  readonly #onChange: () => void;
  /** Milliseconds since 1970. */
  readonly #uses = new Map<string, number>();
  #index = new CredentialIndex([]);

  /**
   * @param maxPerUser - most good keys that one user may have.
   * @param onChange - called whenever keys have been read again.
   */
  constructor(
    store: Store,
    maxPerUser: number,
    log: Log,
    onChange: () => void = () => undefined,
    clock = Date.now,
  ) {
    this.#store = store;
    this.#maxPerUser = maxPerUser;
    this.#log = log;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#refresher = new Refresher('the API keys in the store', async () => this.#read(), log);
  }

  /** Reads the keys, and from then on keeps up with the store. @throws StoreError */
  async start(): Promise<void> {
    await this.#refresher.start();
  }

  /** Number of keys that can match, expired ones included. */
  get size(): number {
    return this.#index.size;
  }

  find(digest: Buffer, now: number): Principal | null {
    const principal = this.#index.find(digest, now);
    if (principal?.keyId !== undefined) this.#uses.set(principal.keyId, now);
    return principal;
  }

  /**
   * Makes a key. It can do at most what its creator can, and for at most as long; only admins make keys for others.
   * @throws AppError `foreign_key`, `permissions_exceeded`, `invalid_request`, `too_many_api_keys`.
   */
  async create(creator: Principal, request: KeyRequest): Promise<IssuedKey> {
    const userId = request.userId ?? creator.userId;
    if (!canAccess(creator, userId)) throw new AppError('foreign_key');
    const permissions = request.permissions ?? allowedPermissions(creator, request.role);
    checkRights(creator, request.role, permissions);
    const now = this.#clock();
    const { name, role, prefix = 'ap' } = request;
    const expiresAt = expiryWithin(creator, request.expiresAt, now);
    const issued = issue({ prefix, label: name, userId, role, permissions, expiresAt }, creator, now);
    if (!(await this.#store.apiKeys.insertWithin(issued.record, this.#maxPerUser))) {
      const limit = `${this.#maxPerUser} API keys, the limit for one user`;
      throw new AppError('too_many_api_keys', {
        message:
          userId === creator.userId
            ? `You already have ${limit}; revoke one first`
            : `The user already has ${limit}; revoke one first`,
      });
    }
    await this.#refresher.now();
    return issued;
  }

  /** Keys that the caller may see: the own ones, for admins all; oldest first. */
  async list(caller: Principal, userId?: string): Promise<readonly ApiKeyRecord[]> {
    if (!isAdmin(caller)) return this.#store.apiKeys.list(caller.userId);
    return this.#store.apiKeys.list(userId);
  }

  /**
   * Revokes a key for good; nobody can use it any more when the promise resolves. Again has no effect.
   * @throws AppError `api_key_not_found`, `foreign_key`.
   */
  async revoke(caller: Principal, id: string): Promise<ApiKeyRecord> {
    const record = await this.#find(caller, id);
    await this.#store.apiKeys.revoke(id, new Date(this.#clock()));
    await this.#refresher.changed(() => this.#end(id, Number.NEGATIVE_INFINITY));
    return record;
  }

  /**
   * Makes a key that takes the place of another one, which is good for `overlapMs` more. It may be one more than a
   * user may have.
   * @throws AppError `api_key_not_found` for one that is revoked or has expired, too; `foreign_key`,
   *   `permissions_exceeded`; `too_many_api_keys` when the old keys of too many rotations are still good.
   */
  async rotate(
    caller: Principal,
    id: string,
    overlapMs: number,
    expiresAt?: Date | null,
  ): Promise<IssuedKey> {
    const old = await this.#find(caller, id);
    const now = this.#clock();
    const ends = old.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
    if (old.revokedAt !== null || ends <= now) throw hasEnded();
    // Otherwise somebody could get hold of a stronger one's rights, or of those of a stronger key of their own.
    checkRights(caller, old.role, old.permissions);
    const prefix = /^[A-Za-z0-9-]+(?=_)/.exec(old.hint)?.[0] ?? 'ap';
    const expiry = expiryWithin(caller, expiresAt === undefined ? old.expiresAt : expiresAt, now);
    const issued = issue({ ...old, prefix, expiresAt: expiry }, caller, now);
    const end = overlapMs <= 0 ? Number.NEGATIVE_INFINITY : Math.min(ends, now + overlapMs);
    await this.#store.transaction(async ({ apiKeys }) => {
      if (overlapMs <= 0) {
        // Of several at once only one replaces it.
        if (!(await apiKeys.revoke(id, new Date(now)))) throw hasEnded();
        await apiKeys.insert(issued.record);
        return;
      }
      if (!(await apiKeys.setExpiry(id, new Date(end)))) throw hasEnded();
      if (await apiKeys.insertWithin(issued.record, this.#maxPerUser + MOST_IN_ROTATION)) return;
      throw new AppError('too_many_api_keys', {
        message: 'Too many keys that were replaced are still good; replace it without an overlap',
      });
    });
    await this.#refresher.changed(() => this.#end(id, end));
    return issued;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#refresher[Symbol.asyncDispose]();
    await this.#saveUses();
  }

  async #find(caller: Principal, id: string): Promise<ApiKeyRecord> {
    const record = await this.#store.apiKeys.get(id);
    if (record === null) throw new AppError('api_key_not_found');
    if (!canAccess(caller, record.userId)) throw new AppError('foreign_key');
    return record;
  }

  #end(id: string, at: number): void {
    this.#index = this.#index.ending(id, at);
    this.#onChange();
  }

  async #read(): Promise<() => void> {
    const records = await this.#store.apiKeys.findAll();
    await this.#saveUses();
    const index = new CredentialIndex(
      records.map((record) => {
        const expiresAt = record.expiresAt?.getTime();
        return {
          digest: Buffer.from(record.hash, 'hex'),
          expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
          principal: {
            userId: record.userId,
            role: record.role,
            permissions: new Set(record.permissions),
            keyId: record.id,
            ...(record.label === '' ? {} : { keyName: record.label }),
            ...(expiresAt === undefined ? {} : { expiresAt }),
          },
        };
      }),
    );
    return () => {
      this.#index = index;
      this.#onChange();
    };
  }

  async #saveUses(): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = new Map([...this.#uses].map(([id, at]) => [id, new Date(at)]));
    this.#uses.clear();
    try {
      await this.#store.apiKeys.touchLastUsed(uses);
    } catch (error) {
      this.#log.warn({ err: error }, 'the last use of API keys could not be stored');
    }
  }
}

function hasEnded(): AppError {
  return new AppError('api_key_not_found', { message: 'The API key has ended; make a new one' });
}

interface NewKey {
  readonly prefix: string;
  readonly label: string;
  readonly userId: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly expiresAt: Date | null;
}

/** What a key begins with: `<prefix>_<user>_`; of the user only what fits into a header. */
export function keyStart(prefix: string, userId: string): string {
  return `${prefix}_${userId.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 40)}_`;
}

/** `<prefix>_<user>_<32 hexadecimal digits>` */
function issue(
  { prefix, label, userId, role, permissions, expiresAt }: NewKey,
  creator: Principal,
  now: number,
): IssuedKey {
  const start = keyStart(prefix, userId);
  const key = start + randomBytes(SECRET_BYTES).toString('hex');
  const record: ApiKeyRecord = {
    id: randomUUID(),
    hash: digestOf(key).toString('hex'),
    hint: `${start}…${key.slice(-4)}`,
    label,
    userId,
    role,
    permissions,
    createdBy: creator.userId,
    createdAt: new Date(now),
    expiresAt,
    revokedAt: null,
    lastUsedAt: null,
  };
  return { record, key };
}

/** @throws AppError `invalid_request` for the past, `permissions_exceeded` beyond the creator's own end. */
function expiryWithin(creator: Principal, wanted: Date | null, now: number): Date | null {
  if (wanted !== null && wanted.getTime() <= now) {
    throw new AppError('invalid_request', {
      message: 'expires_at: must be in the future',
      details: { field: 'expires_at' },
    });
  }
  const latest = creator.expiresAt;
  if (latest === undefined) return wanted;
  if (wanted === null) return new Date(latest);
  if (wanted.getTime() <= latest) return wanted;
  throw new AppError('permissions_exceeded', {
    message: `The key you use ends at ${new Date(latest).toISOString()}; what it makes cannot end later`,
    details: { field: 'expires_at' },
  });
}
