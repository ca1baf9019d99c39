import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { plainText } from '../../plain-text.ts';
import { mergeStart, templateMessage } from '../../profiles/merge.ts';
import type { Profiles } from '../../profiles/profiles.ts';
import { systemPromptPlan } from '../../profiles/system-prompt.ts';
import type { Sessions } from '../../sessions/manager.ts';
import { ignoredMembers, initialMessageOf, startBodySchema } from '../../sessions/start-request.ts';
import { principalOf } from '../control-server.ts';
import { nameIgnored } from '../ignored-members.ts';
import { replyBodyError } from './profiles.ts';
import { START_REFUSALS, startReplySchema } from './start-wire.ts';

const startWithProfileSchema = startBodySchema
  .extend({
    profile_id: plainText().nullish().meta({
      description: "Profile to start with; without it the caller's default profile.",
    }),
    template: z.string().min(1).optional().meta({
      description: "Id or name of one of the profile's message templates, which becomes the first message.",
    }),
    variables: z.record(z.string(), plainText()).optional().meta({
      description: 'What the template needs.',
    }),
  })
  .meta({ id: 'StartWithProfileRequest' });

/** `POST /start-with-profile` (proxy-api section 9.4). */
export function startWithProfileRoute(app: FastifyInstance, profiles: Profiles, sessions: Sessions): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/start-with-profile',
    {
      config: {
        permission: 'session:create',
        audit: { action: 'session.start', target: 'session' },
        refusals: [
          ...START_REFUSALS,
          'foreign_profile_use',
          'invalid_template',
          'profile_id_required',
          'profile_not_found',
        ],
        replyHeaders: ['X-Ignored-Members'],
      },
      errorHandler: replyBodyError,
      schema: {
        operationId: 'startSessionWithProfile',
        tags: ['Sessions'],
        summary: 'Starts a session from a profile',
        description: 'What the request says wins over what the profile says.',
        body: startWithProfileSchema.nullish(),
        response: { 200: startReplySchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { profile_id: profileId, template, variables, ...own } = request.body ?? {};
      const profile = await profiles.findForStart(principal, profileId ?? '');
      const hasMessage = initialMessageOf(own) !== null;
      const message = templateMessage(profile, { template, variables, hasMessage });
      const merged = mergeStart(profile, message === null ? own : { ...own, message });
      const agent = sessions.agentOf(merged.agent ?? null);
      const { session, ownerWasChosen } = await sessions.start(
        principal,
        // The default agent may change any moment, and the plan is for this one.
        { ...merged, agent: agent.name },
        { ...systemPromptPlan(agent, profile.systemPrompt), profileId: profile.id },
      );
      nameIgnored(reply, ignoredMembers(own, ownerWasChosen));
      request.auditTarget = session.id;
      request.auditDetails = { profile: profile.id };
      try {
        await profiles.recordUse(profile.id, session.facts.tags);
      } catch (err) {
        // The session runs; that its profile does not know is no reason to call the start a failure.
        request.log.warn({ err, profileId: profile.id }, 'the use of a profile could not be noted');
      }
      return { session_id: session.id };
    },
  );
}
