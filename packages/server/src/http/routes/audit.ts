import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AuditLog } from '../../auth/audit-log.ts';
import { isAdmin } from '../../auth/authorize.ts';
import { AppError } from '../../errors.ts';
import { AUDIT_OUTCOMES } from '../../store/audit.ts';
import type { AuditEntry } from '../../store/audit.ts';
import { principalOf } from '../control-server.ts';

const PAGE = { default: 100, most: 1_000 } as const;

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const OUTCOME_MEANS = '`allowed`: done. `denied`: refused. `failed`: allowed, but it did not work.';

const auditQuery = z.object({
  user_id: z.string().min(1).optional().meta({ description: 'Done by this user.' }),
  action: z.string().min(1).optional().meta({ description: 'Such as `session.start`.' }),
  outcome: z.enum(AUDIT_OUTCOMES).optional().meta({ description: OUTCOME_MEANS }),
  target_kind: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Done to something of this kind, such as `session`.' }),
  target_id: z.string().min(1).optional().meta({ description: 'Done to this.' }),
  since: time.optional().meta({ description: 'From this time on.' }),
  until: time.optional().meta({ description: 'Before this time.' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(PAGE.default)
    .transform((limit) => Math.min(limit, PAGE.most))
    .meta({ description: `Entries of a page; more than ${PAGE.most} is ${PAGE.most}.` }),
  cursor: z.coerce.number().int().min(0).optional().meta({ description: 'A `next_cursor`.' }),
});

const entrySchema = z
  .object({
    id: z.int().meta({ description: 'Grows with every entry; there may be gaps.' }),
    at: z.iso.datetime().meta({ description: 'When.' }),
    user_id: z.string().nullable().meta({ description: 'Who; `null` = nobody was recognised.' }),
    key_id: z.string().nullable().meta({
      description: 'With which key or link; `null` = with none, or with one of the configuration.',
    }),
    action: z.string().meta({ description: 'What, such as `session.start` or `key.revoke`.' }),
    outcome: z.enum(AUDIT_OUTCOMES).meta({ description: OUTCOME_MEANS }),
    target_kind: z.string().nullable().meta({
      description: 'Kind of what it was done to, such as `session`; `null` = nothing in particular.',
    }),
    target_id: z
      .string()
      .nullable()
      .meta({ description: 'Id of what it was done to; `null` = none is known.' }),
    remote_address: z.string().nullable().meta({
      description: 'Where the request came from; `null` = it was no request.',
    }),
    request_id: z.string().nullable().meta({
      description: "Id of the request in the server's log; `null` = it was no request.",
    }),
    details: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .meta({ description: 'More about it, by action; never a secret.' }),
  })
  .meta({ id: 'AuditEntry' });

const auditPageSchema = z
  .object({
    entries: z.array(entrySchema).meta({ description: 'Newest first.' }),
    next_cursor: z
      .string()
      .optional()
      .meta({ description: '`cursor` of the next page; absent on the last.' }),
  })
  .meta({ id: 'AuditPage' });

/** `GET /audit`: what was done, newest first; for admins with the permission. */
export function auditRoute(app: FastifyInstance, audit: AuditLog): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/audit',
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'readAudit',
        tags: ['Keys'],
        summary: 'Shows what was done on the server',
        description: 'Newest first; for administrators.',
        querystring: auditQuery,
        response: { 200: auditPageSchema },
      },
    },
    async (request) => {
      // It shows what everybody does, so the permission alone is not enough.
      if (!isAdmin(principalOf(request))) throw new AppError('insufficient_permissions');
      const { user_id: actor, action, outcome, since, until, limit, cursor } = request.query;
      const { target_kind: targetKind, target_id: targetId } = request.query;
      const filter = {
        ...(actor === undefined ? {} : { actor }),
        ...(action === undefined ? {} : { action }),
        ...(outcome === undefined ? {} : { outcome }),
        ...(targetKind === undefined ? {} : { targetKind }),
        ...(targetId === undefined ? {} : { targetId }),
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
      };
      const { entries, next } = await audit.list(filter, limit, cursor ?? null);
      return { entries: entries.map(replyOf), ...(next === null ? {} : { next_cursor: String(next) }) };
    },
  );
}

function replyOf(entry: AuditEntry): z.infer<typeof entrySchema> {
  return {
    id: entry.sequence,
    at: entry.at.toISOString(),
    user_id: entry.actor,
    key_id: entry.actorKeyId,
    action: entry.action,
    outcome: entry.outcome,
    target_kind: entry.targetKind,
    target_id: entry.targetId,
    remote_address: entry.remoteAddress,
    request_id: entry.requestId,
    details: entry.details,
  };
}
