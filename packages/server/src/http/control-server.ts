import type { IncomingHttpHeaders } from 'node:http';
import Fastify, { LogController } from 'fastify';
import type {
  FastifyBaseLogger,
  FastifyContextConfig,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
} from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { AuditLog } from '../auth/audit-log.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { authorize, checkProof, useOfMethod } from '../auth/authorize.ts';
import type { Requirement } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import type { TrustedProxies } from '../client-address.ts';
import { AppError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { RequestObserver } from '../request-observer.ts';
import { recordActions } from './audit-hook.ts';
import { ControlChannel } from './control-channel.ts';
import { acceptJsonBodies } from './json-body.ts';
import type { JsonObject } from './openapi/json.ts';
import { observeRequests } from './request-hooks.ts';
import { replyError } from './reply-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the caller must be allowed to do; `null` for routes open to everybody. */
    permission?: Requirement | null;
    /** Browsers that want a page are let in without a key. */
    pages?: true;
    /** How the route refuses, besides what its permission and its body bring; for its description. */
    refusals?: readonly ErrorCode[];
    /** Headers of its success, for its description. */
    replyHeaders?: readonly ('ETag' | 'X-Ignored-Members')[];
    /** Whether it minds `If-Match`. */
    conditional?: true;
    /** Parameters of the query that the route reads by itself, as OpenAPI describes them. */
    query?: readonly JsonObject[];
  }
  interface FastifyInstance {
    readonly declaredRoutes: readonly DeclaredRoute[];
  }
  interface FastifyRequest {
    principal: Principal | null;
  }
}

export interface ControlServerOptions {
  readonly authenticator: Authenticator;
  readonly audit: AuditLog;
  readonly trustedProxies: TrustedProxies;
  readonly observer: RequestObserver;
  readonly maxBodyBytes: number;
  /** The id given to a request by the listener, which also answers it as a header. */
  readonly requestIdOf: (request: FastifyRequest['raw']) => string;
  readonly log: FastifyBaseLogger;
}

/** A route of the control plane as it was declared. */
export interface DeclaredRoute {
  readonly method: string;
  /** With parameters such as `:sessionId`. */
  readonly path: string;
  /** What the caller must be allowed to do; `null` for routes open to everybody. */
  readonly requires: Requirement | null;
  readonly config: FastifyContextConfig;
}

/** More than the longest head that the configuration allows. */
const MAX_PARAM_CHARS = 1_048_576;

interface KnownRoute extends DeclaredRoute {
  readonly pattern: RegExp;
}

/**
 * The control plane's Fastify instance, without routes. Every route must declare its permission;
 * one without fails at start. Order: authentication, permission, handler (proxy-api section 4.1).
 */
export function createControlServer(options: ControlServerOptions): FastifyInstance {
  const app = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: options.maxBodyBytes,
    exposeHeadRoutes: false,
    genReqId: options.requestIdOf,
    requestIdHeader: false,
    // For an address that cannot be decoded; else the router would answer for itself.
    frameworkErrors: (error, request, reply) => void replyError(error, request, reply),
    return503OnClosing: false,
    // Else the router would answer for itself, in a shape of its own. The listener limits the whole head.
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    forceCloseConnections: false,
    // Fastify would load its own compilers, a hundred files at every start, only to be given ours.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
  });
  app.setErrorHandler(replyError);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonBodies(app);
  app.decorateRequest('principal', null);
  const addressOf = ({ raw }: FastifyRequest): string =>
    options.trustedProxies.clientOf(raw.socket.remoteAddress, raw.headers);
  observeRequests(app, options.observer, addressOf);
  recordActions(app, options.audit, addressOf);

  const known: KnownRoute[] = [];
  app.decorate('declaredRoutes', known);
  app.addHook('onRoute', (route) => {
    const { config = {} } = route;
    const requires = config.permission;
    if (requires === undefined) {
      throw new Error(`the route ${String(route.method)} ${route.url} declares no permission`);
    }
    for (const method of [route.method].flat()) {
      known.push({ method, path: route.url, requires, config, pattern: patternOf(route.url) });
    }
  });

  /** Why there is no such route; names the methods that there are. */
  const refusalOfUnknown = (request: FastifyRequest, reply: FastifyReply): AppError => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = known.filter((route) => route.pattern.test(path)).map((route) => route.method);
    if (methods.length > 0) reply.header('allow', ['OPTIONS', ...new Set(methods)].join(', '));
    return new AppError(methods.length === 0 ? 'not_found' : 'method_not_allowed');
  };

  app.addHook('onRequest', (request, reply, done) => {
    const { permission, pages } = request.routeOptions.config;
    const isOpen = permission === null || (pages === true && wantsPage(request.headers));
    // Unknown paths ask for a key before they say so (PX-046); OPTIONS asks for none (PX-069).
    if (!isOpen && request.method !== 'OPTIONS') {
      const origin = { address: addressOf(request), requestId: request.id };
      const principal = options.authenticator.authenticate(request.headers, origin);
      request.principal = principal;
      if (useOfMethod(request.method) === 'write') checkProof(principal);
      if (permission !== undefined) authorize(principal, permission);
      // A link is for looking on, whatever a route would allow.
      if (principal.linkedSession !== undefined && useOfMethod(request.method) === 'write') {
        throw new AppError('shared_for_reading');
      }
    }
    // No id and no name holds one, and PostgreSQL takes none in a comparison.
    if (request.url.includes('%00')) {
      throw new AppError('invalid_request', { message: 'The address contains a NUL character' });
    }
    // No route takes QUERY, but Fastify would first ask for a content type, and fail.
    if (request.method === 'QUERY') throw refusalOfUnknown(request, reply);
    done();
  });

  app.addHook('onSend', (request, reply, payload, done) => {
    const { socket } = request.raw;
    // A client that is not told sends its next request over a connection that is about to close.
    if (socket instanceof ControlChannel && socket.endsWithAnswer()) reply.header('connection', 'close');
    // The reference names no charset and ends every JSON body with a line feed (proxy-api section 0, 4.2).
    const isJson = String(reply.getHeader('content-type')).startsWith('application/json');
    if (!isJson || typeof payload !== 'string') {
      done(null, payload);
      return;
    }
    reply.header('content-type', 'application/json').removeHeader('content-length');
    done(null, `${payload}\n`);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const durationMs = Math.round(reply.elapsedTime);
    request.log.debug(
      { method, route: routeOptions.url, status: reply.statusCode, durationMs },
      'request answered',
    );
    done();
  });

  app.setNotFoundHandler((request, reply) => {
    const refusal = refusalOfUnknown(request, reply);
    if (request.method === 'OPTIONS') return reply.code(204).send();
    throw refusal;
  });
  return app;
}

/** Whether a browser asks for a page, not a program for data. */
export function wantsPage({ accept }: IncomingHttpHeaders): boolean {
  return accept !== undefined && /(?:^|,)\s*text\/html\s*(?:[;,]|$)/i.test(accept);
}

/** The caller of a route that is not open to everybody. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error(`the route ${request.url} has no authenticated caller`);
  return request.principal;
}

function patternOf(url: string): RegExp {
  const escaped = url.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`);
}

function noCompiler(): never {
  throw new Error('The compilers of schemas are set with the server');
}
