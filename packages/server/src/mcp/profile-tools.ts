import type { Profile } from '@agentapi-proxy/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ApiOf } from './api-access.ts';
import { startedAnswer } from './session-tools.ts';
import { answerWith } from './tool-result.ts';
import { environment, startedSession, tags } from './wire-schemas.ts';

/** A profile as a model sees it: the values of its variables are secrets and are left out. */
const profile = z.looseObject({
  id: z.string(),
  user_id: z.string().describe('Owner'),
  name: z.string(),
  description: z.string().optional(),
  agent: z.string().optional(),
  repository: z.string().optional(),
  is_default: z.boolean().optional(),
  environment_names: z.array(z.string()),
  message_templates: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string(),
      content: z.string(),
      variables: z.array(z.string()).optional(),
    }),
  ),
});

/** Tools for profiles: what sessions are started with again and again. */
export function registerProfileTools(server: McpServer, apiOf: ApiOf): void {
  server.registerTool(
    'list_profiles',
    {
      title: 'List profiles',
      description:
        'Lists the profiles that sessions can be started with: agent, repository, message templates. Values of variables are never shown.',
      inputSchema: z.strictObject({}),
      outputSchema: z.object({ profiles: z.array(profile) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (_input, context) =>
      answerWith('list profiles', async () => {
        const { api, signal } = apiOf(context);
        const profiles = await api.profiles.list({ signal });
        const lines = profiles.map(({ id, name, description }) =>
          [`- Profile ID: ${id}, Name: ${name}`, description ?? ''].filter(Boolean).join(', Description: '),
        );
        return {
          text: [`Found ${profiles.length} profiles:`, ...lines].join('\n'),
          data: { profiles: profiles.map(withoutValues) },
        };
      }),
  );

  server.registerTool(
    'get_profile',
    {
      title: 'Show a profile',
      description: 'Everything about one profile, without the values of its variables.',
      inputSchema: z.strictObject({ profile_id: z.string().min(1).describe('Id, from list_profiles') }),
      outputSchema: profile,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ profile_id: id }, context) =>
      answerWith('get profile', async () => {
        const { api, signal } = apiOf(context);
        const { profile: found } = await api.profiles.get(id, { signal });
        const shown = withoutValues(found);
        return { text: JSON.stringify(shown, null, 2), data: shown };
      }),
  );

  server.registerTool(
    'start_session_with_profile',
    {
      title: 'Start a session with a profile',
      description:
        'Starts a session with what a profile says; what is given here wins. The first message is message, or a template of the profile with its variables.',
      inputSchema: z.strictObject({
        profile_id: z
          .string()
          .min(1)
          .optional()
          .describe('Id, from list_profiles; without it the default profile'),
        template: z.string().min(1).optional().describe('Id or name of a message template of the profile'),
        variables: z.record(z.string(), z.string()).optional().describe('What the template needs'),
        message: z.string().min(1).optional().describe('First message, instead of a template'),
        agent: z.string().min(1).optional().describe('Agent to run instead of that of the profile'),
        environment,
        tags,
      }),
      outputSchema: startedSession,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
    },
    (request, context) =>
      answerWith('start session', async () => {
        const { api, signal } = apiOf(context);
        const { id } = await api.startWithProfile(request, { signal });
        return startedAnswer(id);
      }),
  );
}

/** Whoever reads the answer is a model and the company that runs it: secrets stay here. */
function withoutValues({ environment: values, ...rest }: Profile): Record<string, unknown> {
  return { ...rest, environment_names: rest.environment_names ?? Object.keys(values ?? {}) };
}
