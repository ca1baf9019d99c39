import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Principal } from '../../auth/principal.ts';
import type { OwnedSession, SessionAccess } from '../../auth/session-access.ts';
import type { SessionShares } from '../../auth/session-shares.ts';
import { AppError } from '../../errors.ts';
import { plainText } from '../../plain-text.ts';
import { SHARE_ACCESS } from '../../store/shares.ts';
import type { ShareGrant, ShareLink } from '../../store/shares.ts';
import { principalOf } from '../control-server.ts';
import { revocationSchema } from './revocation.ts';

/** A link is good for at least a minute and at most a year. */
const LINK_SECONDS = { least: 60, most: 366 * 86_400, default: 86_400 } as const;

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const ACCESS_MEANS = '`read`: look on. `write`: also send messages, resume and push.';

const grantBody = z
  .strictObject({
    user_id: plainText().min(1).max(256).meta({ description: 'Whom to let in.' }),
    access: z.enum(SHARE_ACCESS).meta({ description: ACCESS_MEANS }),
    expires_at: time.nullish().meta({ description: 'Default: with the session.' }),
  })
  .meta({ id: 'ShareSessionRequest' });

const linkBody = z
  .strictObject({
    expires_at: time.optional().meta({ description: 'When the link ends, at most a year from now.' }),
    ttl_seconds: z.int().min(LINK_SECONDS.least).max(LINK_SECONDS.most).optional().meta({
      description: 'Seconds until it ends, instead of `expires_at`; default: a day.',
    }),
  })
  .meta({ id: 'CreateShareLinkRequest' });

const grantSchema = z
  .object({
    id: z.string().meta({ description: 'Id of the share.' }),
    session_id: z.string().meta({ description: 'The session.' }),
    user_id: z.string().meta({ description: 'Who was let in.' }),
    access: z.enum(SHARE_ACCESS).meta({ description: ACCESS_MEANS }),
    created_by: z.string().meta({ description: 'User who made it.' }),
    created_at: z.iso.datetime().meta({ description: 'When it was made, or changed last.' }),
    expires_at: z.iso.datetime().nullable().meta({ description: 'When it ends; `null` = with the session.' }),
  })
  .meta({ id: 'SessionShare' });

const linkSchema = z
  .object({
    id: z.string().meta({ description: 'Id of the link; it opens nothing.' }),
    session_id: z.string().meta({ description: 'The session.' }),
    created_by: z.string().meta({ description: 'User who made it.' }),
    created_at: z.iso.datetime().meta({ description: 'When it was made.' }),
    expires_at: z.iso.datetime().meta({ description: 'When it ends.' }),
  })
  .meta({ id: 'ShareLink' });

const issuedLinkSchema = linkSchema
  .extend({
    token: z.string().meta({ description: 'Works in the place of a key; it is never shown again.' }),
  })
  .meta({ id: 'IssuedShareLink' });

const shareListSchema = z
  .object({
    shares: z.array(grantSchema).meta({ description: 'Users who were let in.' }),
    links: z.array(linkSchema).meta({ description: 'Links through which anybody may look on.' }),
  })
  .meta({ id: 'SessionShareList' });

const sessionParams = z.object({ sessionId: z.string().meta({ description: 'Id of the session.' }) });
const shareParams = sessionParams.extend({
  shareId: z.string().meta({ description: 'Id of the share or of the link.' }),
});

/** How somebody is refused who may not decide about a session. */
const REFUSALS = ['foreign_session_share', 'session_not_found'] as const;

/** What the routes need of the sessions. */
export interface ShareableSessions {
  /** One of any state; `null` when there is none. */
  get(id: string): Promise<{ readonly facts: OwnedSession } | null>;
}

/** `/sessions/:sessionId/shares` and `…/links`: an owner lets others in. */
export function shareRoutes(
  app: FastifyInstance,
  sessions: ShareableSessions,
  shares: SessionShares,
  access: SessionAccess,
): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  const ownSession = async (id: string, principal: Principal): Promise<OwnedSession> => {
    const session = await sessions.get(id);
    if (session === null) throw new AppError('session_not_found');
    if (!access.allows(principal, session.facts, 'manage')) throw new AppError('foreign_session_share');
    return session.facts;
  };

  routes.get(
    '/sessions/:sessionId/shares',
    {
      config: { permission: 'session:access', refusals: REFUSALS },
      schema: {
        operationId: 'listSessionShares',
        tags: ['Sharing'],
        summary: 'Lists who may use a session',
        description: 'Users and links; for the owner and administrators.',
        params: sessionParams,
        response: { 200: shareListSchema },
      },
    },
    async (request) => {
      const { id } = await ownSession(request.params.sessionId, principalOf(request));
      const { grants, links } = await shares.list(id);
      return { shares: grants.map(grantReplyOf), links: links.map(linkReplyOf) };
    },
  );

  routes.post(
    '/sessions/:sessionId/shares',
    {
      config: {
        permission: 'session:access',
        audit: { action: 'share.grant', target: 'session' },
        refusals: [...REFUSALS, 'too_many_shares'],
      },
      schema: {
        operationId: 'shareSession',
        tags: ['Sharing'],
        summary: 'Lets a user use a session',
        description: 'Once more for the same user changes what they may do.',
        params: sessionParams,
        body: grantBody,
        response: { 201: grantSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const session = await ownSession(request.params.sessionId, principal);
      const { user_id: userId, access: wanted, expires_at } = request.body;
      if (userId === session.ownerId) {
        throw new AppError('invalid_request', {
          message: 'user_id: the session is theirs already',
          details: { field: 'user_id' },
        });
      }
      const expiresAt = expires_at ?? null;
      if (expiresAt !== null) checkFuture(expiresAt);
      const grant = await shares.grant(session.id, principal, userId, wanted, expiresAt);
      request.auditDetails = { share: grant.id, user: userId, access: wanted };
      return reply.code(201).send(grantReplyOf(grant));
    },
  );

  routes.post(
    '/sessions/:sessionId/links',
    {
      config: {
        permission: 'session:access',
        audit: { action: 'share.link', target: 'session' },
        refusals: [...REFUSALS, 'too_many_shares'],
      },
      schema: {
        operationId: 'createShareLink',
        tags: ['Sharing'],
        summary: 'Makes a link to a session',
        description: 'Whoever has its token may look on.',
        params: sessionParams,
        body: linkBody.nullish(),
        response: { 201: issuedLinkSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const session = await ownSession(request.params.sessionId, principal);
      const expiresAt = linkExpiry(request.body ?? {});
      const { link, token } = await shares.addLink(session.id, principal, expiresAt);
      request.auditDetails = { share: link.id, expiresAt: expiresAt.toISOString() };
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...linkReplyOf(link), token });
    },
  );

  routes.delete(
    '/sessions/:sessionId/shares/:shareId',
    {
      config: {
        permission: 'session:access',
        audit: { action: 'share.revoke', target: 'session' },
        refusals: [...REFUSALS, 'share_not_found'],
      },
      schema: {
        operationId: 'revokeSessionShare',
        tags: ['Sharing'],
        summary: 'Takes a share or a link back',
        description: 'At once, with everything that is open under it.',
        params: shareParams,
        response: { 200: revocationSchema },
      },
    },
    async (request) => {
      const { sessionId, shareId } = request.params;
      const { id } = await ownSession(sessionId, principalOf(request));
      const kind = await shares.revoke(id, shareId);
      request.auditDetails = { share: shareId, kind };
      return { message: 'Share revoked', id: shareId };
    },
  );
}

function linkExpiry({ expires_at, ttl_seconds }: z.output<typeof linkBody>): Date {
  if (expires_at === undefined) return new Date(Date.now() + (ttl_seconds ?? LINK_SECONDS.default) * 1000);
  if (ttl_seconds !== undefined) {
    throw new AppError('invalid_request', { message: 'Give either expires_at or ttl_seconds' });
  }
  checkFuture(expires_at);
  if (expires_at.getTime() > Date.now() + LINK_SECONDS.most * 1000) {
    throw new AppError('invalid_request', {
      message: 'expires_at: a link is good for at most a year',
      details: { field: 'expires_at' },
    });
  }
  return expires_at;
}

function checkFuture(time: Date): void {
  if (time.getTime() > Date.now()) return;
  throw new AppError('invalid_request', {
    message: 'expires_at: must be in the future',
    details: { field: 'expires_at' },
  });
}

function grantReplyOf(grant: ShareGrant): z.infer<typeof grantSchema> {
  return {
    id: grant.id,
    session_id: grant.sessionId,
    user_id: grant.userId,
    access: grant.access,
    created_by: grant.createdBy,
    created_at: grant.createdAt.toISOString(),
    expires_at: grant.expiresAt?.toISOString() ?? null,
  };
}

function linkReplyOf(link: ShareLink): z.infer<typeof linkSchema> {
  return {
    id: link.id,
    session_id: link.sessionId,
    created_by: link.createdBy,
    created_at: link.createdAt.toISOString(),
    expires_at: link.expiresAt.toISOString(),
  };
}
