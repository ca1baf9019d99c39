// See schemas.ts for the ways of these schemas.
import * as z from 'zod/mini';
import type { StartRequest } from './start-request.ts';

/** A repository that a profile remembers. */
export interface ProfileRepository {
  readonly id: string;
  readonly url: string;
  readonly name: string;
  readonly branch?: string | undefined;
  readonly last_commit?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly accessed_at: string;
}

/** A message with variables as `{{name}}`. */
export interface ProfileTemplate {
  readonly id: string;
  readonly name: string;
  readonly content: string;
  readonly variables?: readonly string[] | undefined;
  readonly category?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly created_at: string;
}

/** What would be repeated with every start. */
export interface Profile {
  readonly id: string;
  /** Owner. */
  readonly user_id: string;
  readonly name: string;
  readonly description?: string | undefined;
  /** For the owner with a key that may change the profile; others get `environment_names`. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly environment_names?: readonly string[] | undefined;
  readonly repository_history: readonly ProfileRepository[];
  readonly system_prompt: string;
  readonly message_templates: readonly ProfileTemplate[];
  readonly agent?: string | undefined;
  readonly agent_args?: readonly string[] | undefined;
  readonly repository?: string | undefined;
  readonly is_default?: boolean | undefined;
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_used_at?: string | undefined;
}

/** A repository for a profile. */
export interface ProfileRepositoryRequest {
  /** Of an entry that the profile has; other ids are replaced. */
  readonly id?: string | null | undefined;
  readonly url?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly branch?: string | null | undefined;
  readonly last_commit?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
}

/** A message template for a profile. */
export interface ProfileTemplateRequest {
  /** Of a template that the profile has; other ids are replaced. */
  readonly id?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly content?: string | null | undefined;
  readonly variables?: readonly string[] | null | undefined;
  readonly category?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
}

/** What a profile gets. At a change, what is not named stays. */
export interface ProfileRequest {
  /** Needed for a new one. */
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly environment?: Readonly<Record<string, string>> | null | undefined;
  readonly repository_history?: readonly ProfileRepositoryRequest[] | null | undefined;
  readonly system_prompt?: string | null | undefined;
  readonly message_templates?: readonly ProfileTemplateRequest[] | null | undefined;
  /** Name of a configured agent; empty = none. */
  readonly agent?: string | null | undefined;
  readonly agent_args?: readonly string[] | null | undefined;
  /** Repository of sessions whose request names none; empty = none. */
  readonly repository?: string | null | undefined;
  /** Whether `startWithProfile` takes it when no profile is named. */
  readonly is_default?: boolean | null | undefined;
}

/** What a session from a profile gets besides what the profile says. */
export interface StartWithProfileRequest extends StartRequest {
  /** Without it: the caller's default profile. */
  readonly profile_id?: string | null | undefined;
  /** Id or name of one of the profile's message templates, which becomes the first message. */
  readonly template?: string | undefined;
  /** What the template needs. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/** Answer to the deletion of a profile. */
export interface ProfileDeletion {
  readonly message: string;
  readonly profile_id: string;
}

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
export const profileReplySchema: z.ZodMiniType<{ readonly profile: Profile }> = z.looseObject({
  profile: profileSchema,
});

/** Body of `GET /profiles`. */
export const profilesReplySchema: z.ZodMiniType<{ readonly profiles: readonly Profile[] }> = z.looseObject({
  profiles: z.array(profileSchema),
});

/** Body of answers that say no more than that it is done. */
export const doneReplySchema = z.looseObject({ message: z.string() });

/** Body of `DELETE /profiles/:id`. */
export const profileDeletionSchema: z.ZodMiniType<ProfileDeletion> = z.looseObject({
  message: z.string(),
  profile_id: z.string(),
});
