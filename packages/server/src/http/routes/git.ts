import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SessionAccess } from '../../auth/session-access.ts';
import type { Sessions } from '../../sessions/manager.ts';
import { REPOSITORY_REFUSALS } from '../../sessions/session-repositories.ts';
import type { SessionRepositories } from '../../sessions/session-repositories.ts';
import { CHANGE_KINDS, isPathInside } from '../../workspace/git/changes.ts';
import type { WorkspaceDiff, WorkspaceStatus } from '../../workspace/git/changes.ts';
import { isRefName } from '../../workspace/git/ref-name.ts';
import { principalOf } from '../control-server.ts';
import { usableSessions } from './usable-session.ts';

/** Bytes of text in an answer about differences. */
const DIFF_BYTES = { default: 1024 ** 2, most: 16 * 1024 ** 2 } as const;

const commitSchema = z.string().regex(/^[0-9a-f]{40}$/);
const changeKind = z.enum(CHANGE_KINDS);
const pathSchema = z.string().meta({ description: 'Relative to the workspace.' });
const formerPathSchema = z
  .string()
  .optional()
  .meta({ description: 'Former path of a renamed or copied file.' });

const statusSchema = z
  .object({
    branch: z.string().nullable().meta({ description: 'Branch that is checked out; `null` = none.' }),
    commit: commitSchema.nullable().meta({ description: 'Last commit; `null` before the first one.' }),
    commits_since_start: z.int().nullable().meta({
      description: 'Commits since the session began; `null` when that is not known.',
    }),
    clean: z.boolean().meta({ description: 'Whether all is committed.' }),
    files: z
      .array(
        z.object({
          path: pathSchema,
          from: formerPathSchema,
          staged: changeKind.nullable().meta({
            description: 'What of its change the next commit has; `null` = nothing.',
          }),
          unstaged: changeKind.nullable().meta({
            description: 'What of its change is not staged; `null` = nothing.',
          }),
        }),
      )
      .meta({ description: 'What differs from the last commit, files that git does not know included.' }),
    truncated: z.boolean().meta({ description: 'Whether there are more files.' }),
  })
  .meta({ id: 'GitStatus' });

const diffSchema = z
  .object({
    against: commitSchema.nullable().meta({
      description: 'Commit that the files are compared with; `null` before the first one.',
    }),
    files: z
      .array(
        z.object({
          path: pathSchema,
          from: formerPathSchema,
          change: changeKind.meta({ description: 'What happened to the file.' }),
          added: z.int().nullable().meta({ description: 'Lines; `null` for a file that is not text.' }),
          removed: z.int().nullable().meta({ description: 'Lines; `null` for a file that is not text.' }),
        }),
      )
      .meta({ description: 'What each file contributes.' }),
    diff: z.string().meta({ description: 'Unified, as `git diff` prints it; cut to whole lines.' }),
    truncated: z.boolean().meta({ description: 'Whether text or files are left out.' }),
  })
  .meta({ id: 'GitDiff' });

const pushReplySchema = z
  .object({
    branch: z.string().meta({ description: 'Branch of the forge that was pushed to.' }),
    commit: commitSchema.meta({ description: 'Commit that the branch is at now.' }),
    result: z.enum(['created', 'updated', 'up_to_date']).meta({
      description: 'What became of the branch; `up_to_date`: it was at this commit already.',
    }),
  })
  .meta({ id: 'GitPush' });

const pullRequestReplySchema = z
  .object({
    number: z.int().meta({ description: 'Number of the pull request in its repository.' }),
    url: z.string().meta({ description: 'Its page.' }),
    head: z.string().meta({ description: 'Branch with the changes.' }),
    base: z.string().meta({ description: 'Branch that they go into.' }),
  })
  .meta({ id: 'PullRequest' });

const branchName = z.string().min(1).max(240).refine(isRefName, 'expected the name of a branch');

const pushSchema = z
  .object({
    branch: branchName.optional().meta({ description: 'Branch to push to; default: the one checked out.' }),
    force: z.boolean().optional().meta({ description: 'Give up commits that only the forge has.' }),
  })
  .meta({ id: 'GitPushRequest' });

const pullRequestSchema = z
  .object({
    title: z.string().trim().min(1).max(256).meta({ description: 'One line.' }),
    body: z.string().max(65_536).optional().meta({ description: 'Markdown; default: empty.' }),
    base: branchName.optional().meta({
      description: 'Branch that the changes go into; default: the one that the session began on.',
    }),
    head: branchName
      .optional()
      .meta({ description: 'Branch with the changes; default: the one checked out.' }),
    draft: z.boolean().optional().meta({ description: 'Not for review yet.' }),
  })
  .meta({ id: 'PullRequestRequest' });

const sessionParams = z.object({ sessionId: z.string().meta({ description: 'Id of the session.' }) });
const diffQuery = z.object({
  path: z
    .string()
    .min(1)
    .max(4096)
    .refine(isPathInside, 'expected a path within the workspace')
    .optional()
    .meta({ description: 'File or folder to look at, relative to the workspace.' }),
  since: z.enum(['commit', 'start']).default('commit').meta({
    description: 'Compare with the last commit, or with the one that the session began with.',
  }),
  max_bytes: z.coerce
    .number()
    .int()
    .min(1024)
    .max(DIFF_BYTES.most)
    .default(DIFF_BYTES.default)
    .meta({ description: 'Most bytes of text.' }),
});

/** How a look at a repository is refused, and how work on it. */
const LOOK_REFUSALS = ['foreign_session_access', 'session_not_found', ...REPOSITORY_REFUSALS] as const;
const WORK_REFUSALS = ['shared_for_reading', ...LOOK_REFUSALS] as const;

/** `/sessions/:sessionId/git/…`: what an agent has changed, and how it gets to GitHub. */
export function gitRoutes(
  app: FastifyInstance,
  sessions: Sessions,
  repositories: SessionRepositories,
  access: SessionAccess,
): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  const usable = usableSessions(sessions, access);

  routes.get(
    '/sessions/:sessionId/git/status',
    {
      config: { permission: 'session:access', refusals: LOOK_REFUSALS },
      schema: {
        operationId: 'getGitStatus',
        tags: ['Git'],
        summary: 'Shows which files differ from the last commit',
        description: 'Also for a session that has ended, as long as its workspace is there.',
        params: sessionParams,
        response: { 200: statusSchema },
      },
    },
    async (request) => {
      const session = await usable(request.params.sessionId, principalOf(request), 'read');
      return repositories.use(session, async (git, of) => statusReplyOf(await git.status(of)));
    },
  );

  routes.get(
    '/sessions/:sessionId/git/diff',
    {
      config: { permission: 'session:access', refusals: LOOK_REFUSALS },
      schema: {
        operationId: 'getGitDiff',
        tags: ['Git'],
        summary: 'Shows the changes of the files',
        description: 'Files that git does not know yet are among them; those that it ignores are not.',
        params: sessionParams,
        querystring: diffQuery,
        response: { 200: diffSchema },
      },
    },
    async (request) => {
      const session = await usable(request.params.sessionId, principalOf(request), 'read');
      const { path = null, since, max_bytes: maxBytes } = request.query;
      return repositories.use(session, async (git, of) =>
        diffReplyOf(await git.diff(of, { path, since, maxBytes })),
      );
    },
  );

  routes.post(
    '/sessions/:sessionId/git/push',
    {
      config: {
        permission: 'session:access',
        audit: { action: 'session.git.push', target: 'session' },
        refusals: WORK_REFUSALS,
      },
      schema: {
        operationId: 'pushGitBranch',
        tags: ['Git'],
        summary: 'Pushes the last commit to GitHub',
        description:
          'With the token that the session was started with, else one of the server. Hooks do not run.',
        params: sessionParams,
        body: pushSchema.nullish(),
        response: { 200: pushReplySchema },
      },
    },
    async (request) => {
      const session = await usable(request.params.sessionId, principalOf(request), 'write');
      const { branch = null, force = false } = request.body ?? {};
      return repositories.use(session, async (git, of) => {
        const outcome = await git.push(of, { branch, force });
        request.auditDetails = { branch: outcome.branch, commit: outcome.commit, force };
        return outcome;
      });
    },
  );

  routes.post(
    '/sessions/:sessionId/git/pull-request',
    {
      config: {
        permission: 'session:access',
        audit: { action: 'session.git.pull_request', target: 'session' },
        refusals: WORK_REFUSALS,
      },
      schema: {
        operationId: 'openPullRequest',
        tags: ['Git'],
        summary: 'Opens a pull request for a branch that was pushed',
        params: sessionParams,
        body: pullRequestSchema,
        response: { 201: pullRequestReplySchema },
      },
    },
    async (request, reply) => {
      const session = await usable(request.params.sessionId, principalOf(request), 'write');
      const { title, body = '', base = null, head = null, draft = false } = request.body;
      const opened = await repositories.use(session, async (git, of) =>
        git.openPullRequest(of, { title, body, base, head, draft }),
      );
      request.auditDetails = { number: opened.number, head: opened.head, base: opened.base };
      return reply.code(201).send(opened);
    },
  );
}

function statusReplyOf(status: WorkspaceStatus): z.infer<typeof statusSchema> {
  const { branch, commit, commits, files, truncated } = status;
  return {
    branch,
    commit,
    commits_since_start: commits,
    clean: files.length === 0,
    files: files.map(({ from, ...file }) => ({ ...file, ...(from === null ? {} : { from }) })),
    truncated,
  };
}

function diffReplyOf({ against, files, text, truncated }: WorkspaceDiff): z.infer<typeof diffSchema> {
  return {
    against,
    files: files.map(({ path, kind, from, added, removed }) => ({
      path,
      change: kind,
      ...(from === null ? {} : { from }),
      added,
      removed,
    })),
    diff: text,
    truncated,
  };
}
