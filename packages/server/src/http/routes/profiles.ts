import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { Profile } from '../../profiles/profile.ts';
import { mayReadEnvironment } from '../../profiles/profiles.ts';
import type { Profiles, ProfileUse } from '../../profiles/profiles.ts';
import { principalOf } from '../control-server.ts';
import { etagOf, ifMatchOf } from '../if-match.ts';
import { nameIgnored } from '../ignored-members.ts';
import { replyError, toAppError } from '../reply-error.ts';
import {
  ignoredInProfile,
  ignoredInRepository,
  ignoredInTemplate,
  profileBodySchema,
  profileInputOf,
  profileReplyOf,
  profileReplySchema,
  profileSchema,
  repositoryBodySchema,
  repositoryInputOf,
  templateBodySchema,
  templateInputOf,
} from './profile-wire.ts';

const profileParams = z.object({ profileId: z.string().meta({ description: 'Id of the profile.' }) });
const messageReply = z
  .object({ message: z.string().meta({ description: 'What happened, in words.' }) })
  .meta({ id: 'Done' });
const profileDeletionSchema = messageReply
  .extend({ profile_id: z.string().meta({ description: 'Id of the profile that was removed.' }) })
  .meta({ id: 'ProfileDeletion' });
const profileListSchema = z
  .object({
    profiles: z.array(profileSchema).meta({ description: 'Oldest first.' }),
    total: z.int().meta({ description: 'How many these are.' }),
  })
  .meta({ id: 'ProfileList' });

/** How what a profile should be is refused. */
const INPUT_REFUSALS = [
  'invalid_environment',
  'invalid_profile',
  'script_not_allowed',
  'unknown_agent',
] as const;

/** Of a route that changes a profile; `refusal` is its word for profiles of others. */
function changeConfig(refusal: 'foreign_profile_update' | 'foreign_profile_modify') {
  return {
    permission: 'profile:update',
    audit: { action: 'profile.update', target: 'profile' },
    conditional: true,
    refusals: [...INPUT_REFUSALS, refusal, 'profile_not_found'],
    replyHeaders: ['ETag', 'X-Ignored-Members'],
  } as const;
}

/** `/profiles` and everything below (proxy-api section 9.2). */
export function profileRoutes(app: FastifyInstance, profiles: Profiles): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  /** Existence and owner come before the body (PX-192, PX-194), so they are checked before it is read. */
  const checkFor = (use: ProfileUse) => async (request: FastifyRequest) => {
    await profiles.find(principalOf(request), profileParams.parse(request.params).profileId, use);
  };

  routes.post(
    '/profiles',
    {
      config: {
        permission: 'profile:create',
        audit: { action: 'profile.create', target: 'profile' },
        refusals: [...INPUT_REFUSALS, 'too_many_profiles'],
        replyHeaders: ['ETag', 'X-Ignored-Members'],
      },
      errorHandler: replyBodyError,
      schema: {
        operationId: 'createProfile',
        tags: ['Profiles'],
        summary: 'Makes a profile',
        description: 'It belongs to the caller.',
        body: profileBodySchema.nullish(),
        response: { 201: profileReplySchema },
      },
    },
    async (request, reply) => {
      const body = request.body ?? profileBodySchema.parse({});
      const profile = await profiles.create(principalOf(request), profileInputOf(body));
      request.auditTarget = profile.id;
      nameIgnored(reply, ignoredInProfile(body));
      // The caller has just sent the values.
      return reply.code(201).header('etag', etagOf(profile.version)).send(profileReplyOf(profile, true));
    },
  );

  routes.get(
    '/profiles',
    {
      config: { permission: 'profile:list' },
      schema: {
        operationId: 'listProfiles',
        tags: ['Profiles'],
        summary: 'Lists profiles',
        description: 'Those of the caller; administrators see all.',
        querystring: z.object({
          user_id: z.string().min(1).optional().meta({ description: 'Only those of this owner.' }),
        }),
        response: { 200: profileListSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const found = await profiles.list(principal, request.query.user_id);
      return {
        profiles: found.map((each) => profileReplyOf(each, mayReadEnvironment(principal, each)).profile),
        total: found.length,
      };
    },
  );

  routes.get(
    '/profiles/:profileId',
    {
      config: {
        permission: 'profile:read',
        refusals: ['foreign_profile_access', 'profile_not_found'],
        replyHeaders: ['ETag'],
      },
      schema: {
        operationId: 'getProfile',
        tags: ['Profiles'],
        summary: 'Shows a profile',
        params: profileParams,
        response: { 200: profileReplySchema },
      },
    },
    async (request, reply) => {
      const profile = await profiles.find(principalOf(request), request.params.profileId, 'access');
      return answerWith(profile, request, reply);
    },
  );

  routes.put(
    '/profiles/:profileId',
    {
      config: changeConfig('foreign_profile_update'),
      onRequest: checkFor('update'),
      errorHandler: replyBodyError,
      schema: {
        operationId: 'updateProfile',
        tags: ['Profiles'],
        summary: 'Changes a profile',
        description: 'What the body does not name stays; lists and maps are replaced as a whole.',
        params: profileParams,
        body: profileBodySchema.nullish(),
        response: { 200: profileReplySchema },
      },
    },
    async (request, reply) => {
      const body = request.body ?? profileBodySchema.parse({});
      const { profileId } = request.params;
      const version = ifMatchOf(request.headers);
      const profile = await profiles.update(principalOf(request), profileId, profileInputOf(body), version);
      nameIgnored(reply, ignoredInProfile(body));
      return answerWith(profile, request, reply);
    },
  );

  routes.delete(
    '/profiles/:profileId',
    {
      config: {
        permission: 'profile:delete',
        audit: { action: 'profile.delete', target: 'profile' },
        conditional: true,
        refusals: ['foreign_profile_delete', 'profile_not_found'],
      },
      schema: {
        operationId: 'deleteProfile',
        tags: ['Profiles'],
        summary: 'Removes a profile',
        description: 'Sessions that were started from it go on.',
        params: profileParams,
        response: { 200: profileDeletionSchema },
      },
    },
    async (request) => {
      const { profileId } = request.params;
      await profiles.delete(principalOf(request), profileId, ifMatchOf(request.headers));
      return { message: 'Profile deleted successfully', profile_id: profileId };
    },
  );

  routes.post(
    '/profiles/:profileId/repositories',
    {
      config: changeConfig('foreign_profile_modify'),
      onRequest: checkFor('modify'),
      errorHandler: replyBodyError,
      schema: {
        operationId: 'addProfileRepository',
        tags: ['Profiles'],
        summary: "Adds a repository to a profile's history",
        params: profileParams,
        body: repositoryBodySchema.nullish(),
        response: { 200: messageReply },
      },
    },
    async (request, reply) => {
      const body = request.body ?? repositoryBodySchema.parse({});
      const { profileId } = request.params;
      const version = ifMatchOf(request.headers);
      const profile = await profiles.addRepository(
        principalOf(request),
        profileId,
        repositoryInputOf(body),
        version,
      );
      nameIgnored(reply, ignoredInRepository(body));
      reply.header('etag', etagOf(profile.version));
      return { message: 'Repository added to profile successfully' };
    },
  );

  routes.post(
    '/profiles/:profileId/templates',
    {
      config: changeConfig('foreign_profile_modify'),
      onRequest: checkFor('modify'),
      errorHandler: replyBodyError,
      schema: {
        operationId: 'addProfileTemplate',
        tags: ['Profiles'],
        summary: 'Adds a message template to a profile',
        params: profileParams,
        body: templateBodySchema.nullish(),
        response: { 200: messageReply },
      },
    },
    async (request, reply) => {
      const body = request.body ?? templateBodySchema.parse({});
      const { profileId } = request.params;
      const version = ifMatchOf(request.headers);
      const profile = await profiles.addTemplate(
        principalOf(request),
        profileId,
        templateInputOf(body),
        version,
      );
      nameIgnored(reply, ignoredInTemplate(body));
      reply.header('etag', etagOf(profile.version));
      return { message: 'Template added to profile successfully' };
    },
  );
}

/**
 * Answers a body that cannot be decoded with the one text that clients of the reference know (PX-190); what was
 * wrong is in `detail`, and in `field` where it has a place.
 */
export function replyBodyError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const known = toAppError(error);
  if (known.code !== 'invalid_request') {
    void replyError(error, request, reply);
    return;
  }
  const details = { ...known.details, detail: known.message };
  void replyError(new AppError('invalid_request', { cause: error, details }), request, reply);
}

function answerWith(profile: Profile, request: FastifyRequest, reply: FastifyReply) {
  reply.header('etag', etagOf(profile.version));
  return profileReplyOf(profile, mayReadEnvironment(principalOf(request), profile));
}
