import { randomBytes, randomUUID } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ShareAccess, ShareGrant, ShareLink } from '../store/shares.ts';
import { StoreError } from '../store/store-error.ts';
import type { Store } from '../store/store.ts';
import { CredentialIndex, digestOf } from './credential-index.ts';
import type { CredentialSource } from './credential-index.ts';
import type { Principal } from './principal.ts';
import { Refresher } from './refresher.ts';

/** What the secret of a link begins with, so that people and scanners know it. */
export const LINK_PREFIX = 'share_';

/** As long as a session's token: a link may be passed on by anybody who has it. */
const LINK_BYTES = 24;

/** A role of no other meaning; it is what `/me` and the audit log show. */
const LINK_ROLE = 'link';

interface Grant {
  readonly id: string;
  readonly access: ShareAccess;
  /** Milliseconds since 1970; `Infinity` = with the session. */
  readonly expiresAt: number;
}

/** Who may use whose sessions by their owners' leave. Looking up is in memory; changes are in the store, too. */
export class SessionShares implements CredentialSource, AsyncDisposable {
  readonly #store: Store;
  readonly #maxPerSession: number;
  readonly #clock: () => number;
  readonly #refresher: Refresher;
  readonly #onChange: () => void;
  #grants = new Map<string, Map<string, Grant>>();
  #links = new CredentialIndex([]);

  /**
   * @param maxPerSession - most users and links that one session may be shared with.
   * @param onChange - called whenever shares have been read again.
   */
  constructor(
    store: Store,
    maxPerSession: number,
    log: Log,
    onChange: () => void = () => undefined,
    clock = Date.now,
  ) {
    this.#store = store;
    this.#maxPerSession = maxPerSession;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#refresher = new Refresher('the shares in the store', async () => this.#read(), log);
  }

  /** Reads the shares, and from then on keeps up with the store. @throws StoreError */
  async start(): Promise<void> {
    await this.#refresher.start();
  }

  /** The holder of a link. */
  find(digest: Buffer, now: number): Principal | null {
    return this.#links.find(digest, now);
  }

  /** What a user may do with a session by a grant; `null` = nothing. */
  accessOf(sessionId: string, userId: string): ShareAccess | null {
    const grant = this.#grants.get(sessionId)?.get(userId);
    return grant !== undefined && this.#clock() < grant.expiresAt ? grant.access : null;
  }

  /** Ids of the sessions that are shared with a user. */
  sharedWith(userId: string): readonly string[] {
    return [...this.#grants.keys()].filter((sessionId) => this.accessOf(sessionId, userId) !== null);
  }

  /** Grants and links of a session that hold now. */
  async list(
    sessionId: string,
  ): Promise<{ readonly grants: readonly ShareGrant[]; readonly links: readonly ShareLink[] }> {
    const now = this.#clock();
    const holds = ({ revokedAt, expiresAt }: ShareGrant | ShareLink): boolean =>
      revokedAt === null && (expiresAt === null || expiresAt.getTime() > now);
    const { shares } = this.#store;
    const [grants, links] = await Promise.all([shares.listGrants(sessionId), shares.listLinks(sessionId)]);
    return { grants: grants.filter(holds), links: links.filter(holds) };
  }

  /**
   * Lets a user read a session, or use it; a grant to the same user before is replaced.
   * @throws AppError `session_not_found` when it has been deleted meanwhile, `too_many_shares`.
   */
  async grant(
    sessionId: string,
    creator: Principal,
    userId: string,
    access: ShareAccess,
    expiresAt: Date | null,
  ): Promise<ShareGrant> {
    const grant = { id: randomUUID(), sessionId, userId, access, expiresAt, ...this.#made(creator) };
    const granted = await this.#added(this.#store.shares.grantWithin(grant, this.#maxPerSession));
    // It may allow less than the one before.
    await this.#refresher.changed(() => {
      addGrant(this.#grants, granted);
      this.#onChange();
    });
    return granted;
  }

  /**
   * Makes a link that whoever has it can read a session with.
   * @returns the link and its secret, which nobody sees again.
   * @throws AppError `session_not_found` when it has been deleted meanwhile, `too_many_shares`.
   */
  async addLink(
    sessionId: string,
    creator: Principal,
    expiresAt: Date,
  ): Promise<{ readonly link: ShareLink; readonly token: string }> {
    const token = LINK_PREFIX + randomBytes(LINK_BYTES).toString('hex');
    const hash = digestOf(token).toString('hex');
    const link = await this.#added(
      this.#store.shares.addLinkWithin(
        { id: randomUUID(), sessionId, hash, expiresAt, ...this.#made(creator) },
        this.#maxPerSession,
      ),
    );
    await this.#refresher.now();
    return { link, token };
  }

  /**
   * Ends a grant or a link; nobody can use it any more when the promise resolves.
   * @throws AppError `share_not_found`.
   */
  async revoke(sessionId: string, id: string): Promise<'grant' | 'link'> {
    const at = new Date(this.#clock());
    const wasGrant = await this.#store.shares.revokeGrant(sessionId, id, at);
    const wasLink = !wasGrant && (await this.#store.shares.revokeLink(sessionId, id, at));
    if (!wasGrant && !wasLink) throw new AppError('share_not_found');
    await this.#refresher.changed(() => {
      const users = this.#grants.get(sessionId);
      for (const [userId, grant] of users ?? []) if (grant.id === id) users?.delete(userId);
      this.#links = this.#links.ending(id, Number.NEGATIVE_INFINITY);
      this.#onChange();
    });
    return wasGrant ? 'grant' : 'link';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#refresher[Symbol.asyncDispose]();
  }

  async #added<Share>(write: Promise<Share | null>): Promise<Share> {
    const share = await withSession(write);
    if (share !== null) return share;
    throw new AppError('too_many_shares', {
      message: `The session already has ${this.#maxPerSession} shares and links, the limit; take one back first`,
    });
  }

  #made(creator: Principal): { readonly createdBy: string; readonly createdAt: Date } {
    return { createdBy: creator.userId, createdAt: new Date(this.#clock()) };
  }

  async #read(): Promise<() => void> {
    const { shares } = this.#store;
    const now = new Date(this.#clock());
    const [found, links] = await Promise.all([shares.findAllGrants(now), shares.findAllLinks(now)]);
    const grants = new Map<string, Map<string, Grant>>();
    for (const grant of found) addGrant(grants, grant);
    const index = new CredentialIndex(links.map((link) => credentialOf(link)));
    return () => {
      this.#grants = grants;
      this.#links = index;
      this.#onChange();
    };
  }
}

/** Grants by session and user. */
function addGrant(
  grants: Map<string, Map<string, Grant>>,
  { id, sessionId, userId, access, expiresAt }: ShareGrant,
): void {
  const users = grants.get(sessionId) ?? new Map<string, Grant>();
  users.set(userId, { id, access, expiresAt: expiresAt?.getTime() ?? Number.POSITIVE_INFINITY });
  grants.set(sessionId, users);
}

function credentialOf({ id, hash, sessionId, expiresAt }: ShareLink) {
  const principal: Principal = {
    userId: `link:${id}`,
    role: LINK_ROLE,
    permissions: new Set(['session:access']),
    keyId: id,
    expiresAt: expiresAt.getTime(),
    linkedSession: sessionId,
  };
  return { digest: Buffer.from(hash, 'hex'), expiresAt: expiresAt.getTime(), principal };
}

async function withSession<Result>(write: Promise<Result>): Promise<Result> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'conflict') {
      throw new AppError('session_not_found', { cause: error });
    }
    throw error;
  }
}
