import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { viewOfKey } from '../../auth/api-key-view.ts';
import { DEFAULT_OVERLAP_MS } from '../../auth/issued-keys.ts';
import type { IssuedKey, IssuedKeys } from '../../auth/issued-keys.ts';
import { ROLES } from '../../auth/permissions.ts';
import { AppError } from '../../errors.ts';
import { plainText } from '../../plain-text.ts';
import { principalOf } from '../control-server.ts';
import { revocationSchema } from './revocation.ts';

/** The old key of a rotation may be good for at most this many seconds: 30 days. */
const MOST_OVERLAP_SECONDS = 30 * 86_400;

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const createBody = z
  .strictObject({
    name: plainText().trim().min(1).max(100).default('API key').meta({ description: 'For people.' }),
    user_id: plainText().min(1).max(256).optional().meta({ description: 'For admins; default: the caller.' }),
    role: z.enum(ROLES).default('user').meta({
      description: 'Gives the default permissions; `admin` sees what belongs to others, too.',
    }),
    permissions: z.array(plainText()).max(100).optional().meta({
      description: 'Default: those of the role, as far as the caller has them.',
    }),
    expires_at: time.nullish().meta({ description: 'When the key ends; default: never.' }),
  })
  .meta({ id: 'CreateApiKeyRequest' });

const rotateBody = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(MOST_OVERLAP_SECONDS)
      .default(DEFAULT_OVERLAP_MS / 1000)
      .meta({ description: 'How long the old key is still good. 0 = no more.' }),
    expires_at: time.nullish().meta({ description: 'Default: as the old key.' }),
  })
  .meta({ id: 'RotateApiKeyRequest' });

const keySchema = z
  .object({
    id: z.string().meta({ description: 'Id of the key; it opens nothing.' }),
    name: z.string().meta({ description: 'For people.' }),
    hint: z.string().meta({ description: 'Enough of the key to recognise it.' }),
    user_id: z.string().meta({ description: 'Holder: owner of what is made with the key.' }),
    role: z
      .string()
      .meta({ description: '`admin` sees what belongs to others, too; other names change nothing.' }),
    permissions: z.array(z.string()).meta({ description: 'What the key may do; `*` = everything.' }),
    created_by: z.string().meta({ description: 'User who made it.' }),
    created_at: z.iso.datetime().meta({ description: 'When it was made.' }),
    expires_at: z.iso.datetime().nullable().meta({ description: 'When it ends; `null` = never.' }),
    revoked_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When it was revoked; `null` = it was not.' }),
    last_used_at: z.iso.datetime().nullable().meta({
      description: 'When it was used last, as far as recorded; `null` = never.',
    }),
  })
  .meta({ id: 'ApiKey' });

const issuedSchema = keySchema
  .extend({ key: z.string().meta({ description: 'The key itself; it is never shown again.' }) })
  .meta({ id: 'IssuedApiKey' });

const keyListSchema = z
  .object({
    api_keys: z
      .array(keySchema)
      .meta({ description: 'Oldest first; ended ones are among them for 90 days.' }),
  })
  .meta({ id: 'ApiKeyList' });

const keyParams = z.object({ keyId: z.string().meta({ description: 'Id of the key.' }) });

/** `/api-keys`: keys that are made while the server is in use. */
export function apiKeyRoutes(app: FastifyInstance, keys: IssuedKeys, authenticationOn: boolean): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  /** With authentication off everybody may do everything, but not keep it for when it is on. */
  const checkOn = (_request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
    if (authenticationOn) done();
    else {
      const message = 'Authentication is off; make keys with "agentapi-proxy keys create"';
      done(new AppError('authentication_off', { message }));
    }
  };

  routes.get(
    '/api-keys',
    {
      config: { permission: 'key:list' },
      schema: {
        operationId: 'listApiKeys',
        tags: ['Keys'],
        summary: 'Lists API keys',
        description:
          'Those of the caller; administrators see all. Keys of the configuration are not among them.',
        querystring: z.object({
          user_id: z.string().min(1).optional().meta({ description: 'Only those of this holder.' }),
        }),
        response: { 200: keyListSchema },
      },
    },
    async (request) => {
      const found = await keys.list(principalOf(request), request.query.user_id);
      return { api_keys: found.map(viewOfKey) };
    },
  );

  routes.post(
    '/api-keys',
    {
      config: {
        permission: 'key:create',
        audit: { action: 'key.create', target: 'key' },
        refusals: ['authentication_off', 'foreign_key', 'permissions_exceeded', 'too_many_api_keys'],
      },
      onRequest: checkOn,
      schema: {
        operationId: 'createApiKey',
        tags: ['Keys'],
        summary: 'Makes an API key',
        description: 'The key itself is in this answer only.',
        body: createBody.nullish(),
        response: { 201: issuedSchema },
      },
    },
    async (request, reply) => {
      const { name, user_id: userId, role, permissions, expires_at } = request.body ?? createBody.parse({});
      const issued = await keys.create(principalOf(request), {
        name,
        role,
        expiresAt: expires_at ?? null,
        ...(userId === undefined ? {} : { userId }),
        ...(permissions === undefined ? {} : { permissions }),
      });
      noteIssued(request, issued);
      return reply.code(201).header('cache-control', 'no-store').send(issuedReplyOf(issued));
    },
  );

  routes.delete(
    '/api-keys/:keyId',
    {
      config: {
        permission: 'key:revoke',
        audit: { action: 'key.revoke', target: 'key' },
        refusals: ['api_key_not_found', 'foreign_key'],
      },
      schema: {
        operationId: 'revokeApiKey',
        tags: ['Keys'],
        summary: 'Ends an API key',
        description: 'At once, with everything that is open under it.',
        params: keyParams,
        response: { 200: revocationSchema },
      },
    },
    async (request) => {
      const { id, userId } = await keys.revoke(principalOf(request), request.params.keyId);
      request.auditDetails = { holder: userId };
      return { message: 'API key revoked', id };
    },
  );

  routes.post(
    '/api-keys/:keyId/rotate',
    {
      config: {
        permission: 'key:create',
        audit: { action: 'key.rotate', target: 'key' },
        refusals: [
          'api_key_not_found',
          'authentication_off',
          'foreign_key',
          'permissions_exceeded',
          'too_many_api_keys',
        ],
      },
      onRequest: checkOn,
      schema: {
        operationId: 'rotateApiKey',
        tags: ['Keys'],
        summary: 'Makes a key that replaces another one',
        description: 'The old one is good for a while longer.',
        params: keyParams,
        body: rotateBody.nullish(),
        response: { 201: issuedSchema },
      },
    },
    async (request, reply) => {
      const { overlap_seconds, expires_at } = request.body ?? rotateBody.parse({});
      const { keyId } = request.params;
      const issued = await keys.rotate(principalOf(request), keyId, overlap_seconds * 1000, expires_at);
      noteIssued(request, issued);
      request.auditDetails = { ...request.auditDetails, replaces: keyId, overlapSeconds: overlap_seconds };
      return reply.code(201).header('cache-control', 'no-store').send(issuedReplyOf(issued));
    },
  );
}

function noteIssued(request: FastifyRequest, { record }: IssuedKey): void {
  request.auditTarget = record.id;
  request.auditDetails = {
    holder: record.userId,
    role: record.role,
    permissions: record.permissions.join(' '),
    expiresAt: record.expiresAt?.toISOString() ?? null,
  };
}

function issuedReplyOf({ record, key }: IssuedKey): z.infer<typeof issuedSchema> {
  return { ...viewOfKey(record), key };
}
