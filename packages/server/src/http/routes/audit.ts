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

const auditQuery = z.object({
  user_id: z.string().min(1).optional(),
  action: z.string().min(1).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  target_kind: z.string().min(1).optional(),
  target_id: z.string().min(1).optional(),
  since: time.optional().meta({ description: 'From this time on.' }),
  until: time.optional().meta({ description: 'Before this time.' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(PAGE.default)
    .transform((limit) => Math.min(limit, PAGE.most)),
  cursor: z.coerce.number().int().min(0).optional().meta({ description: 'A `next_cursor`.' }),
});

const entrySchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    user_id: z.string().nullable(),
    key_id: z.string().nullable(),
    action: z.string(),
    outcome: z.enum(AUDIT_OUTCOMES),
    target_kind: z.string().nullable(),
    target_id: z.string().nullable(),
    remote_address: z.string().nullable(),
    request_id: z.string().nullable(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .meta({ id: 'AuditEntry' });

const auditPageSchema = z
  .object({ entries: z.array(entrySchema), next_cursor: z.string().optional() })
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
