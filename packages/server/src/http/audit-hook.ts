import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditLog } from '../auth/audit-log.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the audit log calls the route's action, and what it is done to. */
    audit?: { readonly action: string; readonly target: string };
  }
  interface FastifyRequest {
    /** Id of what was made; where there is none, the first parameter of the path is the target. */
    auditTarget: string | null;
    /** Further facts for the audit log; never secrets. */
    auditDetails: Readonly<Record<string, string | number | boolean | null>>;
  }
}

/**
 * Records what routes with an audit name do before they answer, and every refusal for lack of rights. Refused keys
 * are recorded where they are refused.
 */
export function recordActions(
  app: FastifyInstance,
  audit: AuditLog,
  addressOf: (request: FastifyRequest) => string,
): void {
  app.decorateRequest('auditTarget', null);
  app.decorateRequest('auditDetails');
  app.addHook('onRequest', (request, _reply, done) => {
    request.auditDetails = {};
    done();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const { config, url } = request.routeOptions;
    const { statusCode } = reply;
    const denied = statusCode === 403;
    if (!denied && (config.audit === undefined || (statusCode >= 400 && statusCode < 500))) return payload;
    const note = {
      actor: request.principal?.userId ?? null,
      actorKeyId: request.principal?.keyId ?? null,
      action: config.audit?.action ?? 'request',
      targetKind: config.audit?.target ?? (url === undefined ? null : 'route'),
      targetId: config.audit === undefined ? (url ?? null) : targetOf(request),
      remoteAddress: addressOf(request),
      requestId: request.id,
    };
    if (denied) {
      audit.noteRefusal({ ...note, outcome: 'denied', details: { method: request.method } });
    } else {
      const outcome = statusCode < 400 ? 'allowed' : 'failed';
      await audit.record({ ...note, outcome, details: request.auditDetails });
    }
    return payload;
  });
}

function targetOf({ auditTarget, params }: FastifyRequest): string | null {
  if (auditTarget !== null) return auditTarget;
  const [first]: unknown[] = typeof params === 'object' && params !== null ? Object.values(params) : [];
  return typeof first === 'string' ? first : null;
}
