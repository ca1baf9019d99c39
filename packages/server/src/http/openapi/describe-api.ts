import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CONSOLE_COOKIE } from '../../auth/console-cookies.ts';
import type { DeclaredRoute } from '../control-server.ts';
import { cleanSchemas } from './clean-schemas.ts';
import { isObject, jsonObjectSchema } from './json.ts';
import type { Json, JsonObject } from './json.ts';
import { ERROR_SCHEMA, refusalAnswers, refusalsOf } from './refusals.ts';
import { sessionPaths } from './session-paths.ts';
import { shareAnswers } from './share-answers.ts';
import { API_DESCRIPTION, API_TAGS } from './texts.ts';

export interface ApiDescription {
  /** Version of this program. */
  readonly version: string;
  /** Header that carries the caller's key. */
  readonly keyHeader: string;
}

type OverrideContext = Parameters<NonNullable<z.core.ToJSONSchemaParams['override']>>[0];

const rawSchema = z.object({
  paths: z.record(z.string(), jsonObjectSchema),
  components: z.object({ schemas: jsonObjectSchema }),
});

/** An OpenAPI document. */
export interface ApiDocument extends JsonObject {
  readonly openapi: string;
  readonly paths: JsonObject;
}

/** Has the routes that are declared from now on described. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: { openapi: '3.1.0' },
    transform: createJsonSchemaTransform({ zodToJsonConfig: { override: allowMore } }),
    transformObject: createJsonSchemaTransformObject({ zodToJsonConfig: { override: allowMore } }),
  });
}

/** Answers may get further members with any version; only what refuses unknown members says that it has no more. */
function allowMore({ zodSchema, jsonSchema }: OverrideContext): void {
  const { def } = zodSchema._zod;
  if (def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties;
}

/** The OpenAPI document of all routes that were declared since {@link describeApi}, and of those of sessions. */
export function apiDocument(app: FastifyInstance, { version, keyHeader }: ApiDescription): ApiDocument {
  const raw = rawSchema.parse(JSON.parse(JSON.stringify(app.swagger())));
  const routes = new Map(
    app.declaredRoutes.map((route) => [`${route.method} ${templateOf(route.path)}`, route]),
  );
  const described = Object.entries(raw.paths).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => {
        const route = routes.get(`${method.toUpperCase()} ${path}`);
        if (route === undefined || !isObject(operation))
          throw new Error(`${method} ${path} was not declared`);
        return [method, describedOperation(operation, route)];
      }),
    ),
  ]);
  const agent = sessionPaths();
  const clean = cleanSchemas({
    paths: { ...Object.fromEntries(described), ...agent.paths },
    schemas: { Error: ERROR_SCHEMA, ...agent.schemas, ...raw.components.schemas },
  });
  const { paths, responses } = shareAnswers(clean.paths);
  return {
    openapi: '3.1.0',
    info: {
      title: 'agentapi-proxy',
      version,
      description: API_DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to where this document was found, which is right behind any prefix.
    servers: [{ url: '.', description: 'The server that this document comes from' }],
    tags: API_TAGS.map(({ name, description }) => ({ name, description })),
    security: [{ Key: [] }, { Bearer: [] }, { Cookie: [] }],
    paths,
    components: {
      schemas: sorted(clean.schemas),
      responses: sorted(responses),
      headers: ANSWER_HEADERS,
      securitySchemes: {
        Key: {
          type: 'apiKey',
          in: 'header',
          name: keyHeader,
          description: 'An API key, or the token of a share link.',
        },
        Bearer: { type: 'http', scheme: 'bearer', description: 'The same, in the standard header.' },
        Cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: CONSOLE_COOKIE,
          description:
            'What `POST /console/sign-in` gives a browser. What changes something needs the header `X-Console: 1` besides.',
        },
      },
    },
  };
}

const ANSWER_HEADERS: JsonObject = {
  'X-Request-Id': {
    description: "Id of the request in the server's log; the caller's own where it sent one.",
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'Seconds to wait before the next try.',
    schema: { type: 'integer', minimum: 0 },
  },
  ETag: { description: 'Version of what was answered, for `If-Match`.', schema: { type: 'string' } },
  'X-Ignored-Members': {
    description: 'Members of the request that had no effect, percent-encoded, separated by commas.',
    schema: { type: 'string' },
  },
};

const IF_MATCH: JsonObject = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of the version that is meant; another one by now is 412.',
  schema: { type: 'string' },
};

function describedOperation(operation: JsonObject, { method, requires, config }: DeclaredRoute): JsonObject {
  const declared = Array.isArray(operation['parameters']) ? operation['parameters'] : [];
  const parameters: readonly Json[] = [
    ...declared,
    ...(config.query ?? []),
    ...(config.conditional === true ? [IF_MATCH] : []),
  ];
  const hasQuery = parameters.some((parameter) => isObject(parameter) && parameter['in'] === 'query');
  const refusals = refusalsOf({
    method,
    requires,
    refusals: [
      ...(config.refusals ?? []),
      ...(hasQuery ? (['invalid_query'] as const) : []),
      ...(config.conditional === true ? (['version_conflict'] as const) : []),
    ],
  });
  const { description, responses, requestBody: body } = operation;
  const needs =
    requires === null || requires === 'authenticated' ? null : `Needs the permission \`${requires}\`.`;
  const text = [description, needs].filter((part) => typeof part === 'string').join('\n\n');
  return {
    ...operation,
    ...(text === '' ? {} : { description: text }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requires === null ? { security: [] } : {}),
    ...(isObject(body) ? { requestBody: { ...body, required: !isOptional(body) } } : {}),
    responses: { ...refusalAnswers(refusals), ...successes(responses, config.replyHeaders ?? []) },
  };
}

/** A body that may be `null` may be missing, too. */
function isOptional({ content }: JsonObject): boolean {
  const json = isObject(content) ? content['application/json'] : undefined;
  const schema = isObject(json) ? json['schema'] : undefined;
  const forms = isObject(schema) ? schema['anyOf'] : undefined;
  return Array.isArray(forms) && forms.some((form: Json) => isObject(form) && form['type'] === 'null');
}

function successes(responses: Json | undefined, headerNames: readonly string[]): JsonObject {
  const names = ['X-Request-Id', ...headerNames];
  const headers = Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
  const described = Object.entries(isObject(responses) ? responses : {}).map(([status, response]) => [
    status,
    {
      // No content is no schema either.
      ...(isObject(response) && status !== '204' ? response : {}),
      description: STATUS_CODES[Number(status)] ?? 'Success',
      headers,
    },
  ]);
  return Object.fromEntries(described);
}

function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
