import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Authenticator } from '../../auth/authenticate.ts';
import type { ConsoleCookies, CookieScope } from '../../auth/console-cookies.ts';
import { sourceOf } from '../../auth/cookie-proof.ts';
import { plainAddress } from '../../client-address.ts';
import type { TrustedProxies } from '../../client-address.ts';
import { AppError } from '../../errors.ts';

/** No key is longer: it has to fit into a header. */
const MAX_KEY_CHARS = 4096;

const signInBody = z
  .strictObject({
    api_key: z
      .string()
      .min(1)
      .max(MAX_KEY_CHARS)
      .meta({ description: 'An API key, or the token of a share link.' }),
  })
  .meta({ id: 'SignIn' });

export interface SignInParts {
  readonly authenticator: Pick<Authenticator, 'enabled' | 'signIn'>;
  readonly cookies: ConsoleCookies;
  readonly trustedProxies: TrustedProxies;
}

/**
 * `POST /console/sign-in` and `/console/sign-out`: the cookie that a browser shows instead of a key. Both want proof that a
 * page of ours asks: nobody shall be signed in as somebody else without knowing it.
 */
export function signInRoutes(app: FastifyInstance, parts: SignInParts): void {
  const { authenticator, cookies, trustedProxies } = parts;
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const scopeOf = (request: FastifyRequest): CookieScope => cookieScope(request, trustedProxies);

  routes.post(
    '/console/sign-in',
    {
      onRequest: checkSource,
      config: {
        permission: null,
        audit: { action: 'console.sign_in', target: 'user' },
        // 404 where the console is turned off.
        refusals: [
          'csrf',
          'invalid_api_key',
          'not_found',
          'too_many_failures',
          'store_unavailable',
          'store_full',
        ],
      },
      schema: {
        operationId: 'signIn',
        tags: ['Server'],
        summary: 'Gives a browser a cookie for a key',
        description:
          'Needs the header `X-Console: 1`. The answer sets the cookie `agentapi_proxy_console`; while authentication is off it sets none.',
        body: signInBody,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const address = trustedProxies.clientOf(request.raw.socket.remoteAddress, request.headers);
      const { principal, digest } = authenticator.signIn(request.body.api_key, {
        address,
        requestId: request.id,
      });
      request.principal = principal;
      request.auditTarget = principal.userId;
      if (authenticator.enabled) {
        const cookie = cookies.issue(digest, principal.expiresAt, Date.now(), scopeOf(request));
        reply.header('set-cookie', cookie);
      }
      return reply.code(204).header('cache-control', 'no-store').send(null);
    },
  );

  routes.post(
    '/console/sign-out',
    {
      onRequest: checkSource,
      config: { permission: null, refusals: ['csrf', 'not_found'] },
      schema: {
        operationId: 'signOut',
        tags: ['Server'],
        summary: 'Has a browser forget its cookie',
        description: 'Needs the header `X-Console: 1`.',
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      return reply
        .code(204)
        .header('set-cookie', cookies.clear(scopeOf(request)))
        .send(null);
    },
  );
}

/** Before the body is read. @throws AppError `csrf` unless a page of ours asks. */
async function checkSource({ headers }: FastifyRequest): Promise<void> {
  if (sourceOf(headers) !== 'own') throw new AppError('csrf');
}

function cookieScope({ raw, headers }: FastifyRequest, trustedProxies: TrustedProxies): CookieScope {
  if (!trustedProxies.trusts(plainAddress(raw.socket.remoteAddress))) return { path: '/', secure: false };
  const prefix = first(headers['x-forwarded-prefix']).replace(/\/+$/, '');
  return {
    // Anything else could end the attribute.
    path: /^(?:\/[A-Za-z0-9._~-]+)+$/.test(prefix) ? `${prefix}/` : '/',
    secure: first(headers['x-forwarded-proto']).toLowerCase() === 'https',
  };
}

/** What the proxy nearest to the client has said. */
function first(value: string | readonly string[] | undefined): string {
  return [value ?? []].flat().join(',').split(',', 1)[0]?.trim() ?? '';
}
