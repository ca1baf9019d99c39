import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { StoredRepository } from '../store/session-record.ts';
import { isBroken, plainText } from '../plain-text.ts';
import type { RepositoryRules } from '../workspace/repository-rules.ts';
import type { WorkspaceFile } from '../workspace/workspace-files.ts';
import { MAX_TOKEN_CHARS, repositoryMembers, repositoryRequestOf } from './repository-request.ts';

/**
 * Body of `POST /start` (proxy-api section 5.1). Members not named here are ignored, because real
 * clients send some, and reported by {@link ignoredMembers}.
 */
export const startBodySchema = z
  .looseObject({
    user_id: plainText().min(1).max(128).optional().meta({
      description: 'Owner of the session; honoured while authentication is off and for admins.',
    }),
    environment: z.record(z.string(), z.string()).optional().meta({
      description: "Added to the environment of the session's processes.",
    }),
    tags: z.record(z.string(), z.string()).optional().meta({
      description: 'Stored and searchable. `repository` and `message` have a meaning.',
    }),
    message: plainText().optional().meta({
      description: 'First message for the agent, delivered once it is ready.',
    }),
    agent: plainText().min(1).max(64).optional().meta({ description: 'Name of a configured agent.' }),
    agent_args: z.array(plainText()).max(100).optional().meta({
      description: "Arguments appended to the agent's own.",
    }),
    script: plainText().min(1).max(128).optional().meta({
      description: 'Name of an allowed start script; see docs/scripts.md.',
    }),
    ...repositoryMembers,
    params: z
      .looseObject({
        message: plainText().optional().meta({ description: 'As `message` of the request, which wins.' }),
        github_token: plainText().max(MAX_TOKEN_CHARS).optional().meta({
          description: 'As `github_token` of the request, which wins.',
        }),
      })
      .optional()
      .meta({ description: 'Newer web clients put the first message and a GitHub token here (PX-233).' }),
  })
  .meta({ id: 'StartRequest' });

export type StartBody = z.infer<typeof startBodySchema>;

/** What a session is started from, after all checks that need no I/O. */
export interface StartRequest {
  readonly ownerId: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Trimmed; `null` when there is none. */
  readonly message: string | null;
  readonly agent: string | null;
  readonly agentArgs: readonly string[];
  /** Put into the workspace before the agent starts. */
  readonly workspaceFiles: readonly WorkspaceFile[];
  /** Name of the start script; `null` when none is asked for. */
  readonly script: string | null;
  /** What is cloned into the workspace; `null` = nothing. */
  readonly repository: StoredRepository | null;
  /** Token for that besides what the environment holds; `null` = none. */
  readonly githubToken: string | null;
  /** The profile that it was merged with; `null` = none. */
  readonly profileId: string | null;
}

/** What a session starts with besides what its request says; decided by the server, never read from a body. */
export interface StartAddition {
  /** Come before the arguments of the request. */
  readonly agentArgs: readonly string[];
  readonly workspaceFiles: readonly WorkspaceFile[];
  /** Comes before the first message, or is the first message when there is none. */
  readonly messagePrefix: string | null;
  /** The profile that all of it comes from; `null` = none. */
  readonly profileId: string | null;
}

export const NO_ADDITION: StartAddition = {
  agentArgs: [],
  workspaceFiles: [],
  messagePrefix: null,
  profileId: null,
};

const KNOWN_MEMBERS: ReadonlySet<string> = new Set(Object.keys(startBodySchema.shape));

/** Names of the members that have no effect, for a response header. */
export function ignoredMembers(body: StartBody, ownerWasChosen: boolean): readonly string[] {
  const ignored = Object.keys(body).filter((name) => !KNOWN_MEMBERS.has(name));
  if (body.user_id !== undefined && !ownerWasChosen) ignored.push('user_id');
  for (const name of Object.keys(body.params ?? {})) {
    if (name !== 'message' && name !== 'github_token') ignored.push(`params.${name}`);
  }
  return ignored;
}

/** The first message: `tags.message`, else `message`, else `params.message`; trimmed (PX-107, PX-110). */
export function initialMessageOf(body: StartBody): string | null {
  const candidates = [body.tags?.['message'], body.message, body.params?.message];
  return candidates.map((text) => text?.trim()).find((text) => text !== undefined && text !== '') ?? null;
}

/**
 * A request after the checks that need no policy.
 * @throws AppError `invalid_repository` or `invalid_ref`.
 */
export function startRequestOf(
  ownerId: string,
  body: StartBody,
  addition: StartAddition,
  rules: RepositoryRules,
): StartRequest {
  const wanted = repositoryRequestOf(body, rules);
  const message = [addition.messagePrefix, initialMessageOf(body)].filter((text) => text !== null);
  return {
    ownerId,
    environment: body.environment ?? {},
    tags: wanted.tags,
    message: message.length === 0 ? null : message.join('\n\n'),
    agent: body.agent ?? null,
    agentArgs: [...addition.agentArgs, ...(body.agent_args ?? [])],
    workspaceFiles: addition.workspaceFiles,
    script: body.script ?? null,
    repository: wanted.repository,
    githubToken: wanted.token,
    profileId: addition.profileId,
  };
}

export interface TagLimits {
  readonly maxTags: number;
  readonly maxKeyChars: number;
  readonly maxValueChars: number;
}

/** Tags that carry text of their own instead of a label. */
const LONG_TAGS: ReadonlySet<string> = new Set(['message']);

/**
 * Checks tags: their number and their length.
 * @throws AppError `invalid_tags`, naming the tag.
 */
export function checkTags(tags: Readonly<Record<string, string>>, limits: TagLimits): void {
  const entries = Object.entries(tags);
  if (entries.length > limits.maxTags) {
    throw new AppError('invalid_tags', {
      message: `tags has ${entries.length} entries; at most ${limits.maxTags} are allowed`,
      details: { field: 'tags' },
    });
  }
  for (const [key, value] of entries) {
    const field = `tags.${key.slice(0, 100)}`;
    if (key === '' || key.length > limits.maxKeyChars) {
      throw new AppError('invalid_tags', {
        message: `The name of a tag has ${key.length} characters; 1 to ${limits.maxKeyChars} are allowed`,
        details: { field },
      });
    }
    if (isBroken(key) || isBroken(value)) {
      throw new AppError('invalid_tags', {
        message: `${field} must not contain NUL characters or broken Unicode`,
        details: { field },
      });
    }
    if (value.length > limits.maxValueChars && !LONG_TAGS.has(key)) {
      throw new AppError('invalid_tags', {
        message: `${field} has ${value.length} characters; at most ${limits.maxValueChars} are allowed`,
        details: { field },
      });
    }
  }
}
