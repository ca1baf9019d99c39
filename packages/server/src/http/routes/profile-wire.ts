import { z } from 'zod';
import type { ProfileInput, RepositoryInput, TemplateInput } from '../../profiles/profile-input.ts';
import type { Profile } from '../../profiles/profile.ts';

/** `null` says as much as no member at all (PX-193). */
function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const textMap = z.record(z.string(), z.string());

/** Body of `POST /profiles/:profileId/repositories`, and an entry of `repository_history`. */
export const repositoryBodySchema = z
  .looseObject({
    id: maybe(z.string()).meta({ description: 'Of an entry that the profile has; other ids are replaced.' }),
    url: maybe(z.string()),
    name: maybe(z.string()),
    branch: maybe(z.string()),
    last_commit: maybe(z.string()),
    metadata: maybe(textMap),
  })
  .meta({ id: 'ProfileRepositoryRequest' });

/** Body of `POST /profiles/:profileId/templates`, and an entry of `message_templates`. */
export const templateBodySchema = z
  .looseObject({
    id: maybe(z.string()).meta({
      description: 'Of a template that the profile has; other ids are replaced.',
    }),
    name: maybe(z.string()),
    content: maybe(z.string()).meta({ description: 'Text with variables as `{{name}}`.' }),
    variables: maybe(z.array(z.string())),
    category: maybe(z.string()),
    metadata: maybe(textMap),
  })
  .meta({ id: 'ProfileTemplateRequest' });

/** Body of `POST /profiles` and `PUT /profiles/:profileId`. */
export const profileBodySchema = z
  .looseObject({
    name: maybe(z.string()),
    description: maybe(z.string()),
    environment: maybe(textMap),
    repository_history: maybe(z.array(repositoryBodySchema)),
    system_prompt: maybe(z.string()),
    message_templates: maybe(z.array(templateBodySchema)),
    agent: maybe(z.string()).meta({ description: 'Name of a configured agent; empty = none.' }),
    agent_args: maybe(z.array(z.string())),
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
    id: z.string(),
    url: z.string(),
    name: z.string(),
    branch: z.string().optional(),
    last_commit: z.string().optional(),
    metadata: textMap.optional(),
    accessed_at: z.iso.datetime(),
  })
  .meta({ id: 'ProfileRepository' });

const templateSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    content: z.string(),
    variables: z.array(z.string()).optional(),
    category: z.string().optional(),
    metadata: textMap.optional(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'ProfileTemplate' });

/** A profile as answers show it (proxy-api section 9.1). */
export const profileSchema = z
  .object({
    id: z.string(),
    user_id: z.string(),
    name: z.string(),
    description: z.string().optional(),
    environment: textMap.optional().meta({
      description: 'For the owner with a key that may change the profile; others get environment_names.',
    }),
    environment_names: z.array(z.string()).optional(),
    repository_history: z.array(repositorySchema),
    system_prompt: z.string(),
    message_templates: z.array(templateSchema),
    agent: z.string().optional(),
    agent_args: z.array(z.string()).optional(),
    script: z.string().optional(),
    repository: z.string().optional(),
    is_default: z.boolean().optional(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().optional(),
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
