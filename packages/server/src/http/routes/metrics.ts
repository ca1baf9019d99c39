import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isAdmin } from '../../auth/authorize.ts';
import { AppError } from '../../errors.ts';
import { principalOf } from '../control-server.ts';
import type { MetricsText } from '../metrics-listener.ts';

/** `GET /metrics`: what the server measures, for Prometheus; for admins with the permission. */
export function metricsRoute(app: FastifyInstance, metrics: MetricsText | null): void {
  app.get(
    '/metrics',
    {
      config: { permission: 'metrics:read', refusals: ['not_found'] },
      schema: {
        operationId: 'readMetrics',
        tags: ['Server'],
        summary: 'Shows what the server measures',
        description: 'In the text format of Prometheus; for administrators.',
        response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (request, reply) => {
      // They tell of what everybody does, so the permission alone is not enough.
      if (!isAdmin(principalOf(request))) throw new AppError('insufficient_permissions');
      if (metrics === null) throw new AppError('not_found', { message: 'Metrics are turned off' });
      const text = await metrics.render();
      return reply.header('content-type', metrics.contentType).send(text);
    },
  );
}
