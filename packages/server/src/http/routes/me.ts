import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { principalOf } from '../control-server.ts';

const meSchema = z
  .object({
    user_id: z.string(),
    role: z.string(),
    permissions: z.array(z.string()),
    authentication: z.enum(['on', 'off']),
    expires_at: z.iso.datetime().optional(),
    session_id: z.string().optional().meta({ description: 'The one session that a share link opens.' }),
  })
  .meta({ id: 'Me' });

/** `GET /me`: who the server takes the caller for. */
export function meRoute(app: FastifyInstance, authentication: 'on' | 'off'): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/me',
    {
      config: { permission: 'authenticated' },
      schema: {
        operationId: 'getMe',
        tags: ['Server'],
        summary: 'Shows whom the server takes the caller for',
        response: { 200: meSchema },
      },
    },
    (request) => {
      const { userId, role, permissions, expiresAt, linkedSession } = principalOf(request);
      return {
        user_id: userId,
        role,
        permissions: [...permissions],
        authentication,
        ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() }),
        ...(linkedSession === undefined ? {} : { session_id: linkedSession }),
      };
    },
  );
}
