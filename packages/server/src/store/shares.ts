import { z } from 'zod';
import { checkColumn, millisecondsOrNull, storable, timeOf, timeOrNull } from './columns.ts';
import { inTransaction, takeTurns } from './tables.ts';
import type { Database, Dialect, ShareGrantRow, ShareLinkRow } from './tables.ts';

/** `read` looks on; `write` talks to the agent, too. */
export const SHARE_ACCESS = ['read', 'write'] as const;
export type ShareAccess = (typeof SHARE_ACCESS)[number];

/** Access to a session that its owner gave to a user. */
export interface ShareGrant {
  readonly id: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly access: ShareAccess;
  readonly createdBy: string;
  readonly createdAt: Date;
  /** `null` = with the session. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/** A link that lets anybody who has it read a session. */
export interface ShareLink {
  readonly id: string;
  readonly sessionId: string;
  /** SHA-256 of the link's secret, hexadecimal. */
  readonly hash: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
}

const access = z.enum(SHARE_ACCESS);

/** Shares of sessions. They end with their session. Every write is durable when its promise resolves. */
export class ShareTable {
  readonly #db: Database;
  readonly #dialect: Dialect;

  constructor(db: Database, dialect: Dialect) {
    this.#db = db;
    this.#dialect = dialect;
  }

  /**
   * Grants access; a grant to the same user before is replaced and keeps its id.
   * @returns the grant as it is now.
   * @throws StoreError `conflict` when there is no such session.
   */
  async grant(grant: Omit<ShareGrant, 'revokedAt'>): Promise<ShareGrant> {
    const granted = {
      access: grant.access,
      created_by: storable(grant.createdBy),
      created_at: grant.createdAt.getTime(),
      expires_at: millisecondsOrNull(grant.expiresAt),
      revoked_at: null,
    };
    const row = await this.#db
      .insertInto('share_grants')
      .values({ id: grant.id, session_id: grant.sessionId, user_id: storable(grant.userId), ...granted })
      .onConflict((conflict) => conflict.columns(['session_id', 'user_id']).doUpdateSet(granted))
      .returningAll()
      .executeTakeFirstOrThrow();
    return readGrant(row);
  }

  /**
   * As {@link grant}, unless the session has `most` grants and links already that hold when it is made, however many
   * are added at once. A grant that holds is replaced whatever there is.
   * @returns `null` when it has; then nothing has changed.
   */
  async grantWithin(grant: Omit<ShareGrant, 'revokedAt'>, most: number): Promise<ShareGrant | null> {
    return this.#within(grant, most, async (shares) => shares.grant(grant));
  }

  /** Grants of a session, oldest first; revoked and expired ones are among them. */
  async listGrants(sessionId: string): Promise<readonly ShareGrant[]> {
    const rows = await this.#db
      .selectFrom('share_grants')
      .selectAll()
      .where('session_id', '=', sessionId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(readGrant);
  }

  /** Every grant that holds at `at`, for an index in memory. */
  async findAllGrants(at: Date): Promise<readonly ShareGrant[]> {
    const rows = await this.#db
      .selectFrom('share_grants')
      .selectAll()
      .where('revoked_at', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', at.getTime())]))
      .execute();
    return rows.map(readGrant);
  }

  /** What a user may do with a session by a grant at `at`; `null` = nothing. */
  async accessOf(sessionId: string, userId: string, at: Date): Promise<ShareAccess | null> {
    const row = await this.#db
      .selectFrom('share_grants')
      .select(['id', 'access'])
      .where('session_id', '=', sessionId)
      .where('user_id', '=', storable(userId))
      .where('revoked_at', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', at.getTime())]))
      .executeTakeFirst();
    return row === undefined ? null : checkColumn(access, row.access, `share_grants.access of ${row.id}`);
  }

  /** @returns whether there was a grant of this session that was not revoked yet. */
  async revokeGrant(sessionId: string, grantId: string, at: Date): Promise<boolean> {
    const result = await this.#db
      .updateTable('share_grants')
      .set({ revoked_at: at.getTime() })
      .where('id', '=', grantId)
      .where('session_id', '=', sessionId)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** @throws StoreError `conflict` when there is no such session, or the id or the hash is taken. */
  async addLink(link: Omit<ShareLink, 'revokedAt'>): Promise<ShareLink> {
    await this.#db
      .insertInto('share_links')
      .values({
        id: link.id,
        session_id: link.sessionId,
        hash: link.hash,
        created_by: storable(link.createdBy),
        created_at: link.createdAt.getTime(),
        expires_at: link.expiresAt.getTime(),
        revoked_at: null,
      })
      .execute();
    return { ...link, revokedAt: null };
  }

  /** As {@link addLink}, with the limit of {@link grantWithin}. */
  async addLinkWithin(link: Omit<ShareLink, 'revokedAt'>, most: number): Promise<ShareLink | null> {
    return this.#within(link, most, async (shares) => shares.addLink(link));
  }

  /** The link with this hash, if it is good at `at`. */
  async findLink(hash: string, at: Date): Promise<ShareLink | null> {
    const row = await this.#db
      .selectFrom('share_links')
      .selectAll()
      .where('hash', '=', hash)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', at.getTime())
      .executeTakeFirst();
    return row === undefined ? null : readLink(row);
  }

  /** Every link that is good at `at`, for an index in memory. */
  async findAllLinks(at: Date): Promise<readonly ShareLink[]> {
    const rows = await this.#db
      .selectFrom('share_links')
      .selectAll()
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', at.getTime())
      .execute();
    return rows.map(readLink);
  }

  /** Links of a session, oldest first; revoked and expired ones are among them. */
  async listLinks(sessionId: string): Promise<readonly ShareLink[]> {
    const rows = await this.#db
      .selectFrom('share_links')
      .selectAll()
      .where('session_id', '=', sessionId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(readLink);
  }

  /** @returns whether there was a link of this session that was not revoked yet. */
  async revokeLink(sessionId: string, linkId: string, at: Date): Promise<boolean> {
    const result = await this.#db
      .updateTable('share_links')
      .set({ revoked_at: at.getTime() })
      .where('id', '=', linkId)
      .where('session_id', '=', sessionId)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /**
   * Forgets grants and links that ended before `before`.
   * @returns how many.
   */
  async prune(before: Date): Promise<number> {
    const time = before.getTime();
    return inTransaction(this.#db, async (db) => {
      const grants = await db
        .deleteFrom('share_grants')
        .where((where) => where.or([where('revoked_at', '<', time), where('expires_at', '<', time)]))
        .executeTakeFirst();
      const links = await db
        .deleteFrom('share_links')
        .where((where) => where.or([where('revoked_at', '<', time), where('expires_at', '<', time)]))
        .executeTakeFirst();
      return Number(grants.numDeletedRows + links.numDeletedRows);
    });
  }

  async #within<Share>(
    { sessionId, createdAt, userId }: Pick<ShareGrant, 'sessionId' | 'createdAt'> & { userId?: string },
    most: number,
    add: (shares: ShareTable) => Promise<Share>,
  ): Promise<Share | null> {
    return inTransaction(this.#db, async (db) => {
      await takeTurns(db, this.#dialect, `shares of ${sessionId}`);
      const shares = new ShareTable(db, this.#dialect);
      if (userId !== undefined && (await shares.accessOf(sessionId, userId, createdAt)) !== null) {
        return add(shares);
      }
      const { total: grants } = await db
        .selectFrom('share_grants')
        .select((select) => select.fn.countAll<number>().as('total'))
        .where('session_id', '=', sessionId)
        .where('revoked_at', 'is', null)
        .where((where) =>
          where.or([where('expires_at', 'is', null), where('expires_at', '>', createdAt.getTime())]),
        )
        .executeTakeFirstOrThrow();
      const { total: links } = await db
        .selectFrom('share_links')
        .select((select) => select.fn.countAll<number>().as('total'))
        .where('session_id', '=', sessionId)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', createdAt.getTime())
        .executeTakeFirstOrThrow();
      return grants + links < most ? add(shares) : null;
    });
  }
}

function readGrant(row: ShareGrantRow): ShareGrant {
  return {
    id: row.id,
    sessionId: row.session_id,
    userId: row.user_id,
    access: checkColumn(access, row.access, `share_grants.access of ${row.id}`),
    createdBy: row.created_by,
    createdAt: timeOf(row.created_at),
    expiresAt: timeOrNull(row.expires_at),
    revokedAt: timeOrNull(row.revoked_at),
  };
}

function readLink(row: ShareLinkRow): ShareLink {
  return {
    id: row.id,
    sessionId: row.session_id,
    hash: row.hash,
    createdBy: row.created_by,
    createdAt: timeOf(row.created_at),
    expiresAt: timeOf(row.expires_at),
    revokedAt: timeOrNull(row.revoked_at),
  };
}
