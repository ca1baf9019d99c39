// See schemas.ts for the ways of these schemas.
import * as z from 'zod/mini';
import type { components } from './schema.gen.ts';

/** A repository that a profile remembers. */
export type ProfileRepository = components['schemas']['ProfileRepository'];

/** A message with variables as `{{name}}`. */
export type ProfileTemplate = components['schemas']['ProfileTemplate'];

/** What would be repeated with every start. */
export type Profile = components['schemas']['Profile'];

/** A repository for a profile. */
export type ProfileRepositoryRequest = components['schemas']['ProfileRepositoryRequest'];

/** A message template for a profile. */
export type ProfileTemplateRequest = components['schemas']['ProfileTemplateRequest'];

/** What a profile gets. At a change, what is not named stays. */
export type ProfileRequest = components['schemas']['ProfileRequest'];

/** What a session from a profile gets besides what the profile says. */
export type StartWithProfileRequest = components['schemas']['StartWithProfileRequest'];

/** Answer to the deletion of a profile. */
export type ProfileDeletion = components['schemas']['ProfileDeletion'];

const textMap = z.record(z.string(), z.string());

const profileSchema: z.ZodMiniType<Profile> = z.looseObject({
  id: z.string(),
  user_id: z.string(),
  name: z.string(),
  description: z.optional(z.string()),
  environment: z.optional(textMap),
  environment_names: z.optional(z.array(z.string())),
  repository_history: z.array(
    z.looseObject({
      id: z.string(),
      url: z.string(),
      name: z.string(),
      branch: z.optional(z.string()),
      last_commit: z.optional(z.string()),
      metadata: z.optional(textMap),
      accessed_at: z.string(),
    }),
  ),
  system_prompt: z.string(),
  message_templates: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string(),
      content: z.string(),
      variables: z.optional(z.array(z.string())),
      category: z.optional(z.string()),
      metadata: z.optional(textMap),
      created_at: z.string(),
    }),
  ),
  agent: z.optional(z.string()),
  agent_args: z.optional(z.array(z.string())),
  repository: z.optional(z.string()),
  is_default: z.optional(z.boolean()),
  created_at: z.string(),
  updated_at: z.string(),
  last_used_at: z.optional(z.string()),
});

/** Body of the answers that show a profile. */
export const profileReplySchema: z.ZodMiniType<components['schemas']['ProfileReply']> = z.looseObject({
  profile: profileSchema,
});

/** Body of `GET /profiles`. */
export const profileListSchema: z.ZodMiniType<components['schemas']['ProfileList']> = z.looseObject({
  profiles: z.array(profileSchema),
  total: z.int(),
});

/** Body of answers that say no more than that it is done. */
export const doneReplySchema: z.ZodMiniType<components['schemas']['Done']> = z.looseObject({
  message: z.string(),
});

/** Body of `DELETE /profiles/:id`. */
export const profileDeletionSchema: z.ZodMiniType<ProfileDeletion> = z.looseObject({
  message: z.string(),
  profile_id: z.string(),
});
