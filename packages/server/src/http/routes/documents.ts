import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { apiDocument } from '../openapi/describe-api.ts';
import type { ApiDescription, ApiDocument } from '../openapi/describe-api.ts';
import { referencePage } from '../openapi/reference-page.ts';

/** `/openapi.json` and `/docs`: what the server answers; open to everybody, because they tell nothing about sessions. */
export function documentRoutes(app: FastifyInstance, description: ApiDescription): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  let made: ApiDocument | null = null;
  /** Made when it is first asked for: few servers ever are. */
  const document = (): ApiDocument => (made ??= apiDocument(app, description));

  routes.get(
    '/openapi.json',
    {
      config: { permission: null },
      schema: {
        operationId: 'getOpenApiDocument',
        tags: ['Server'],
        summary: 'Describes the API for programs',
        response: {
          200: z
            .looseObject({ openapi: z.string().meta({ description: 'Version of OpenAPI.' }) })
            .meta({ id: 'OpenApiDocument' }),
        },
      },
    },
    () => document(),
  );

  routes.get(
    '/docs',
    {
      config: { permission: null },
      schema: {
        operationId: 'getReference',
        tags: ['Server'],
        summary: 'Describes the API for people',
        response: { 200: { content: { 'text/html': { schema: z.string() } } } },
      },
    },
    async (_request, reply) => {
      const { html, policy } = referencePage(document());
      return reply
        .headers({
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': policy,
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
        })
        .send(html);
    },
  );
}
