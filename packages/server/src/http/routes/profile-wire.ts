import { z } from 'zod';
import type { ProfileInput, RepositoryInput, TemplateInput } from '../../profiles/profile-input.ts';
import type { Profile } from '../../profiles/profile.ts';

/** `null` says as much as no member at all (PX-193). */
function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const METADATA_MEANS = 'Whatever clients want to keep with it.';
const VARIABLES_MEAN = 'Names of variables, for those who fill in forms; may be more than `content` uses.';

const textMap = z.record(z.string(), z.string());

/** Body of `POST /profiles/:profileId/repositories`, and an entry of `repository_history`. */
export const repositoryBodySchema = z
  .looseObject({
    id: maybe(z.string()).meta({ description: 'Of an entry that the profile has; other ids are replaced.' }),
    url: maybe(z.string()).meta({ description: 'Address; required, and without a password in it.' }),
    name: maybe(z.string()).meta({ description: 'For people; required.' }),
    branch: maybe(z.string()).meta({ description: 'Branch that was worked on.' }),
    last_commit: maybe(z.string()).meta({ description: 'Commit that was seen last.' }),
    metadata: maybe(textMap).meta({ description: METADATA_MEANS }),
  })
  .meta({ id: 'ProfileRepositoryRequest' });

/** Body of `POST /profiles/:profileId/templates`, and an entry of `message_templates`. */
export const templateBodySchema = z
  .looseObject({
    id: maybe(z.string()).meta({
      description: 'Of a template that the profile has; other ids are replaced.',
    }),
    name: maybe(z.string()).meta({
      description: 'For people, and for starts that name the template; required.',
    }),
    content: maybe(z.string()).meta({ description: 'Text with variables as `{{name}}`; required.' }),
    variables: maybe(z.array(z.string())).meta({ description: VARIABLES_MEAN }),
    category: maybe(z.string()).meta({ description: 'For people, to sort by.' }),
    metadata: maybe(textMap).meta({ description: METADATA_MEANS }),
  })
  .meta({ id: 'ProfileTemplateRequest' });

/** Body of `POST /profiles` and `PUT /profiles/:profileId`. */
export const profileBodySchema = z
  .looseObject({
    name: maybe(z.string()).meta({ description: 'Up to 200 characters; a new profile needs one.' }),
    description: maybe(z.string()).meta({
      description: 'For people, up to 10,000 characters; empty = none.',
    }),
    environment: maybe(textMap).meta({ description: 'All variables for the agent; replaces those before.' }),
    repository_history: maybe(z.array(repositoryBodySchema)).meta({
      description: 'All repositories worked on; replaces the list before.',
    }),
    system_prompt: maybe(z.string()).meta({
      description: 'What the agent is told beforehand, up to 100,000 bytes; empty = nothing.',
    }),
    message_templates: maybe(z.array(templateBodySchema)).meta({
      description: 'All message templates; replaces the list before.',
    }),
    agent: maybe(z.string()).meta({ description: 'Name of a configured agent; empty = none.' }),
    agent_args: maybe(z.array(z.string())).meta({
      description: "Up to 100 arguments after the agent's own.",
    }),
    script: maybe(z.string()).meta({ description: 'Name of an allowed start script; empty = none.' }),
    repository: maybe(z.string()).meta({
      description: 'Repository of sessions whose request names none; empty = none.',
    }),
    is_default: maybe(z.boolean()).meta({
      description: 'Whether POST /start-with-profile takes it when the request names no profile.',
    }),
  })
  .meta({ id: 'ProfileRequest' });

export type ProfileBody = z.output<typeof profileBodySchema>;
export type RepositoryBody = z.output<typeof repositoryBodySchema>;
export type TemplateBody = z.output<typeof templateBodySchema>;

const repositorySchema = z
  .object({
    id: z.string().meta({ description: 'Id of the entry.' }),
    url: z.string().meta({ description: 'Address of the repository.' }),
    name: z.string().meta({ description: 'For people.' }),
    branch: z.string().optional().meta({ description: 'Branch that was worked on; absent = not known.' }),
    last_commit: z
      .string()
      .optional()
      .meta({ description: 'Commit that was seen last; absent = not known.' }),
    metadata: textMap.optional().meta({ description: METADATA_MEANS }),
    accessed_at: z.iso.datetime().meta({ description: 'When it was noted or used last.' }),
  })
  .meta({ id: 'ProfileRepository' });

const templateSchema = z
  .object({
    id: z.string().meta({ description: 'Id of the template.' }),
    name: z.string().meta({ description: 'For people, and for starts that name the template.' }),
    content: z.string().meta({ description: 'Text with variables as `{{name}}`.' }),
    variables: z.array(z.string()).optional().meta({ description: VARIABLES_MEAN }),
    category: z.string().optional().meta({ description: 'For people, to sort by; absent = none.' }),
    metadata: textMap.optional().meta({ description: METADATA_MEANS }),
    created_at: z.iso.datetime().meta({ description: 'When it was made.' }),
  })
  .meta({ id: 'ProfileTemplate' });

/** A profile as answers show it (proxy-api section 9.1). */
export const profileSchema = z
  .object({
    id: z.string().meta({ description: 'Id of the profile.' }),
    user_id: z.string().meta({ description: 'Owner of the profile.' }),
    name: z.string().meta({ description: 'For people.' }),
    description: z.string().optional().meta({ description: 'For people; absent = none.' }),
    environment: textMap.optional().meta({
      description: 'For the owner with a key that may change the profile; others get environment_names.',
    }),
    environment_names: z.array(z.string()).optional().meta({
      description: 'Names of the variables, for those who do not get `environment`.',
    }),
    repository_history: z.array(repositorySchema).meta({
      description: 'Repositories worked on, in the order in which they were added.',
    }),
    system_prompt: z.string().meta({ description: 'What the agent is told beforehand; empty = nothing.' }),
    message_templates: z
      .array(templateSchema)
      .meta({ description: 'In the order in which they were added.' }),
    agent: z.string().optional().meta({
      description: 'Name of a configured agent; absent: the request or the server chooses.',
    }),
    agent_args: z.array(z.string()).optional().meta({
      description: "Arguments after the agent's own; absent = none.",
    }),
    script: z.string().optional().meta({
      description: 'Name of a start script; absent: the request or the server chooses.',
    }),
    repository: z.string().optional().meta({
      description: 'Repository of sessions whose request names none; absent = none.',
    }),
    is_default: z.boolean().optional().meta({
      description: 'Whether its owner starts with it when naming no profile; absent = no.',
    }),
    created_at: z.iso.datetime().meta({ description: 'When it was made.' }),
    updated_at: z.iso.datetime().meta({ description: 'When it was changed last.' }),
    last_used_at: z.iso.datetime().optional().meta({
      description: 'When a session was started from it last; absent = never.',
    }),
  })
  .meta({ id: 'Profile' });

export const profileReplySchema = z.object({ profile: profileSchema }).meta({ id: 'ProfileReply' });

/** What a body says about a profile, in our words. */
export function profileInputOf(body: ProfileBody): ProfileInput {
  return {
    name: body.name,
    description: body.description,
    environment: body.environment,
    repositoryHistory: body.repository_history?.map(repositoryInputOf),
    systemPrompt: body.system_prompt,
    messageTemplates: body.message_templates?.map(templateInputOf),
    agent: body.agent,
    agentArgs: body.agent_args,
    script: body.script,
    repository: body.repository,
    isDefault: body.is_default,
  };
}

export function repositoryInputOf(body: RepositoryBody): RepositoryInput {
  const { id, url, name, branch, last_commit: lastCommit, metadata } = body;
  return { id, url, name, branch, lastCommit, metadata };
}

export function templateInputOf(body: TemplateBody): TemplateInput {
  const { id, name, content, variables, category, metadata } = body;
  return { id, name, content, variables, category, metadata };
}

/** Names of the members that have no effect, those of entries by their path. */
export function ignoredInProfile(body: ProfileBody): readonly string[] {
  return [
    ...unknownIn(body, profileBodySchema.shape),
    ...(body.repository_history ?? []).flatMap((entry, index) =>
      ignoredInRepository(entry).map((name) => `repository_history.${index}.${name}`),
    ),
    ...(body.message_templates ?? []).flatMap((entry, index) =>
      ignoredInTemplate(entry).map((name) => `message_templates.${index}.${name}`),
    ),
  ];
}

export function ignoredInRepository(body: RepositoryBody): readonly string[] {
  return unknownIn(body, repositoryBodySchema.shape);
}

export function ignoredInTemplate(body: TemplateBody): readonly string[] {
  return unknownIn(body, templateBodySchema.shape);
}

/**
 * A profile as its reader gets it.
 * @param showsValues - whether the values of its environment are for this reader.
 */
export function profileReplyOf(profile: Profile, showsValues: boolean): z.input<typeof profileReplySchema> {
  return {
    profile: {
      id: profile.id,
      user_id: profile.userId,
      name: profile.name,
      ...(profile.description === '' ? {} : { description: profile.description }),
      ...(showsValues
        ? { environment: { ...profile.environment } }
        : { environment_names: Object.keys(profile.environment) }),
      repository_history: profile.repositoryHistory.map((entry) => ({
        id: entry.id,
        url: entry.url,
        name: entry.name,
        ...(entry.branch === null ? {} : { branch: entry.branch }),
        ...(entry.lastCommit === null ? {} : { last_commit: entry.lastCommit }),
        ...metadataOf(entry),
        accessed_at: entry.accessedAt.toISOString(),
      })),
      system_prompt: profile.systemPrompt,
      message_templates: profile.messageTemplates.map((entry) => ({
        id: entry.id,
        name: entry.name,
        content: entry.content,
        ...(entry.variables.length === 0 ? {} : { variables: [...entry.variables] }),
        ...(entry.category === null ? {} : { category: entry.category }),
        ...metadataOf(entry),
        created_at: entry.createdAt.toISOString(),
      })),
      ...(profile.agent === null ? {} : { agent: profile.agent }),
      ...(profile.agentArgs.length === 0 ? {} : { agent_args: [...profile.agentArgs] }),
      ...(profile.script === null ? {} : { script: profile.script }),
      ...(profile.repository === null ? {} : { repository: profile.repository }),
      ...(profile.isDefault ? { is_default: true } : {}),
      created_at: profile.createdAt.toISOString(),
      updated_at: profile.updatedAt.toISOString(),
      ...(profile.lastUsedAt === null ? {} : { last_used_at: profile.lastUsedAt.toISOString() }),
    },
  };
}

function metadataOf(entry: { readonly metadata: Readonly<Record<string, string>> }): {
  metadata?: Record<string, string>;
} {
  return Object.keys(entry.metadata).length === 0 ? {} : { metadata: { ...entry.metadata } };
}

function unknownIn(body: object, shape: object): readonly string[] {
  return Object.keys(body).filter((name) => !Object.hasOwn(shape, name));
}
