// See schemas.ts for the ways of these schemas.
import * as z from 'zod/mini';
import type { components } from './schema.gen.ts';

/** How a workspace differs from its last commit. */
export type GitStatus = components['schemas']['GitStatus'];

/** A file that differs from the last commit, with what is staged of it and what is not. */
export type GitStatusFile = GitStatus['files'][number];

/** The changes of a workspace: as text, and what each file contributes. */
export type GitDiff = components['schemas']['GitDiff'];

/** What happened to a file. */
export type GitChange = GitDiff['files'][number]['change'];

/** Where to push to; everything is optional. */
export type GitPushRequest = components['schemas']['GitPushRequest'];

/** What became of a push. */
export type GitPush = components['schemas']['GitPush'];

/** What a pull request says, and between which branches. */
export type PullRequestRequest = components['schemas']['PullRequestRequest'];

/** A pull request that was opened. */
export type PullRequest = components['schemas']['PullRequest'];

const changeSchema = z.enum([
  'added',
  'modified',
  'deleted',
  'renamed',
  'copied',
  'type_changed',
  'conflicted',
  'untracked',
]);

/** Body of `GET /sessions/:id/git/status`. */
export const gitStatusSchema: z.ZodMiniType<GitStatus> = z.looseObject({
  branch: z.nullable(z.string()),
  commit: z.nullable(z.string()),
  commits_since_start: z.nullable(z.int()),
  clean: z.boolean(),
  files: z.array(
    z.looseObject({
      path: z.string(),
      from: z.optional(z.string()),
      staged: z.nullable(changeSchema),
      unstaged: z.nullable(changeSchema),
    }),
  ),
  truncated: z.boolean(),
});

/** Body of `GET /sessions/:id/git/diff`. */
export const gitDiffSchema: z.ZodMiniType<GitDiff> = z.looseObject({
  against: z.nullable(z.string()),
  files: z.array(
    z.looseObject({
      path: z.string(),
      from: z.optional(z.string()),
      change: changeSchema,
      added: z.nullable(z.int()),
      removed: z.nullable(z.int()),
    }),
  ),
  diff: z.string(),
  truncated: z.boolean(),
});

/** Body of `POST /sessions/:id/git/push`'s answer. */
export const gitPushSchema: z.ZodMiniType<GitPush> = z.looseObject({
  branch: z.string(),
  commit: z.string(),
  result: z.enum(['created', 'updated', 'up_to_date']),
});

/** Body of `POST /sessions/:id/git/pull-request`'s answer. */
export const pullRequestSchema: z.ZodMiniType<PullRequest> = z.looseObject({
  number: z.int(),
  url: z.string(),
  head: z.string(),
  base: z.string(),
});
