import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';

export interface SystemInfo {
  /** Version of this program. */
  readonly version: string;
  readonly startedAt: Date;
  /** Whether new work is taken; `false` while the server shuts down. */
  readonly isReady: () => boolean;
  /** Whether the store does not take what happens in sessions at the moment. */
  readonly isJournalBehind: () => boolean;
  readonly agentServer: 'embedded' | 'external';
  readonly defaultAgent: () => string;
}

const healthReply = z
  .object({
    status: z.literal('ok').meta({ description: 'The process answers, which is all that this says.' }),
  })
  .meta({ id: 'Health' });
const readyReply = z
  .object({
    status: z.enum(['ready', 'starting', 'shutting_down']).meta({
      description: '`ready` (200): sessions are taken. The others (503): not yet, or no more.',
    }),
    journal: z.literal('behind').optional().meta({
      description:
        'Present while the store does not take what happens in sessions at the moment; it is kept in memory, and their viewers wait. Sessions go on, so the server stays ready.',
    }),
  })
  .meta({ id: 'Readiness' });
const versionReply = z
  .object({
    name: z.literal('agentapi-proxy').meta({ description: 'This program.' }),
    version: z.string().meta({ description: 'Of this program, such as `0.1.0`.' }),
    node: z.string().meta({ description: 'Version of Node that runs it, such as `v20.19.0`.' }),
    agent_server: z.enum(['embedded', 'external']).meta({
      description: 'What new sessions get: the one of this program, or an `agentapi` program.',
    }),
    default_agent: z.string().meta({ description: 'Agent of sessions that name none.' }),
    started_at: z.iso.datetime().meta({ description: 'When the process began.' }),
  })
  .meta({ id: 'Version' });

/** Health and version; open to everybody, so they tell nothing about sessions (DF-57). */
export function systemRoutes(app: FastifyInstance, info: SystemInfo): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const alive = (operationId: string) => ({
    config: { permission: null },
    schema: {
      operationId,
      tags: ['Server'],
      summary: 'Tells whether the process works',
      response: { 200: healthReply },
    },
  });

  routes.get('/health', alive('getHealth'), () => ({ status: 'ok' as const }));
  routes.get('/livez', alive('getLiveness'), () => ({ status: 'ok' as const }));

  routes.get(
    '/readyz',
    {
      config: { permission: null },
      schema: {
        operationId: 'getReadiness',
        tags: ['Server'],
        summary: 'Tells whether the server takes work',
        response: { 200: readyReply, 503: readyReply },
      },
    },
    (_request, reply) => {
      const ready = info.isReady();
      reply.code(ready ? 200 : 503);
      return {
        status: ready ? ('ready' as const) : ('shutting_down' as const),
        ...(info.isJournalBehind() ? { journal: 'behind' as const } : {}),
      };
    },
  );

  routes.get(
    '/version',
    {
      config: { permission: null },
      schema: {
        operationId: 'getVersion',
        tags: ['Server'],
        summary: 'Tells which version of the server this is',
        response: { 200: versionReply },
      },
    },
    () => ({
      name: 'agentapi-proxy' as const,
      version: info.version,
      node: process.version,
      agent_server: info.agentServer,
      default_agent: info.defaultAgent(),
      started_at: info.startedAt.toISOString(),
    }),
  );
}
