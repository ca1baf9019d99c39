import type { CliContext } from '../cli-context.ts';
import { parseDuration } from '../duration.ts';
import { connect, runWithSession, sessionOf } from './connection.ts';
import { UsageError } from './exit-codes.ts';
import { runClient } from './run-client.ts';
import type { ClientFlags } from './run-client.ts';

export interface ShareFlags extends ClientFlags {
  readonly write?: boolean;
  /** A duration such as `8h`. */
  readonly expires?: string;
}

/** `client share list` */
export async function listShares(flags: ClientFlags, context: CliContext): Promise<number> {
  return runWithSession(undefined, flags, context, async (session, { desk, signal }) => {
    const { shares, links } = await session.shares.list({ signal });
    desk.answer({ shares, links }, () => {
      if (shares.length + links.length === 0) return ['Not shared'];
      return desk.table([
        ['ID', 'WHO', 'ACCESS', 'UNTIL'],
        ...shares.map((share) => [
          share.id,
          share.user_id,
          share.access,
          share.expires_at ?? 'the end of the session',
        ]),
        ...links.map((link) => [link.id, 'anybody with the link', 'read', link.expires_at]),
      ]);
    });
  });
}

/** `client share grant USER` */
export async function grantShare(user: string, flags: ShareFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const seconds = secondsOf(flags);
    const session = await sessionOf(await connect(run), signal);
    const share = await session.shares.grant(
      {
        user_id: user,
        access: flags.write === true ? 'write' : 'read',
        expires_at: seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000).toISOString(),
      },
      { signal },
    );
    desk.answer(share, () => [
      `${share.user_id} may ${share.access} session ${session.id} (share ${share.id})`,
    ]);
  });
}

/** `client share link`: the token is the answer, and is shown this once. */
export async function createShareLink(flags: ShareFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const seconds = secondsOf(flags);
    const session = await sessionOf(await connect(run), signal);
    const link = await session.shares.createLink(seconds === undefined ? {} : { ttl_seconds: seconds }, {
      signal,
    });
    desk.note(`Whoever has this token may look on until ${link.expires_at}; it works in the place of a key:`);
    desk.answer(link, () => [link.token]);
  });
}

/** `client share revoke ID` */
export async function revokeShare(id: string, flags: ClientFlags, context: CliContext): Promise<number> {
  return runWithSession(undefined, flags, context, async (session, { desk, signal }) => {
    const result = await session.shares.revoke(id, { signal });
    desk.answer(result, () => [`Share ${id} revoked`]);
  });
}

function secondsOf({ expires }: ShareFlags): number | undefined {
  if (expires === undefined) return undefined;
  const ms = parseDuration(expires);
  if (ms === null || ms === 0) throw new UsageError('--expires must be a time such as 30m, 8h or 7d');
  return ms / 1000;
}
