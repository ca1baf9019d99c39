import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { principalOf } from '../control-server.ts';

const meSchema = z
  .object({
    user_id: z.string().meta({ description: 'Owner of what the caller makes.' }),
    role: z
      .string()
      .meta({ description: '`admin` sees what belongs to others, too; other names change nothing.' }),
    permissions: z.array(z.string()).meta({ description: 'What the caller may do; `*` = everything.' }),
    authentication: z.enum(['on', 'off']).meta({
      description: '`off`: the server asks nobody for a key, and everybody may do everything.',
    }),
    expires_at: z.iso.datetime().optional().meta({
      description: 'When the key or link ends; absent = never.',
    }),
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
