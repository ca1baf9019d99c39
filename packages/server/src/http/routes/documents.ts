import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { apiDocument } from '../openapi/describe-api.ts';
import type { ApiDescription, ApiDocument } from '../openapi/describe-api.ts';

/** `GET /openapi.json`: what the server answers; open to everybody, because it tells nothing about sessions. */
export function documentRoutes(app: FastifyInstance, description: ApiDescription): void {
  let made: ApiDocument | null = null;
  /** Made when it is first asked for: few servers ever are. */
  const document = (): ApiDocument => (made ??= apiDocument(app, description));

  app.withTypeProvider<ZodTypeProvider>().get(
    '/openapi.json',
    {
      config: { permission: null },
      schema: {
        operationId: 'getOpenApiDocument',
        tags: ['Server'],
        summary: 'Describes the API',
        response: { 200: z.looseObject({ openapi: z.string() }).meta({ id: 'OpenApiDocument' }) },
      },
    },
    () => document(),
  );
}
