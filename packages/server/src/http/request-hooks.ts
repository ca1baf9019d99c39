import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestRecord } from '../request-observer.ts';
import type { RequestObserver } from '../request-observer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the observer is told; routes whose answers stay open tell it so. */
    record: RequestRecord | null;
  }
}

/** Has every request of the control plane observed, from its head to the end of its answer. */
export function observeRequests(
  app: FastifyInstance,
  observer: RequestObserver,
  addressOf: (request: FastifyRequest) => string,
): void {
  app.decorateRequest('record', null);
  app.addHook('onRequest', (request, reply, done) => {
    const route = request.is404 ? '' : (request.routeOptions.url ?? '');
    const record = new RequestRecord('control', request.method, route, request.id);
    record.address = addressOf(request);
    request.record = record;
    observer.began(record, request.headers);
    // Fastify's own hook for the end of an answer leaves out clients that have left before it.
    reply.raw.once('close', () => {
      complete(record, request, reply.raw);
      const type = String(reply.raw.getHeader('content-type'));
      if (record.kind === 'request' && type.startsWith('text/event-stream')) {
        observer.opened(record, 'event_stream');
      }
      observer.ended(record);
    });
    observer.within(record, done);
  });
}

/** What is known at the end of an answer. */
function complete(
  record: RequestRecord,
  { method, params, principal }: FastifyRequest,
  raw: ServerResponse,
): void {
  record.status = raw.headersSent ? raw.statusCode : 0;
  record.complete = raw.writableFinished;
  const length = Number(raw.getHeader('content-length') ?? Number.NaN);
  if (Number.isInteger(length)) record.bytes = method === 'HEAD' ? 0 : length;
  record.userId = principal?.userId ?? null;
  record.keyId = principal?.keyId ?? null;
  // What was sent in place of an id can be a secret that went astray; an id that worked is one.
  if (record.status >= 200 && record.status < 300) record.sessionId = sessionIn(params);
}

function sessionIn(params: unknown): string | null {
  const named = typeof params === 'object' && params !== null && 'sessionId' in params;
  return named && typeof params.sessionId === 'string' ? params.sessionId : null;
}
