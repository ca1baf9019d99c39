import { z } from 'zod';
import { Secret } from './secret.ts';
import { bytes, count, httpUrl, seconds } from './value-types.ts';

/** Fields of the group `github`; see the note on top of the schema for what `meta` says. */
export const github = z.strictObject({
  token: z
    .string()
    .default('')
    .transform((text) => (text === '' ? null : new Secret(text)))
    .meta({
      description:
        'Token for the repositories of sessions that bring none. Agents do not get it. Better in the environment than in the file.',
      env: 'GITHUB_TOKEN',
      secret: true,
    }),
  app_id: z
    .int()
    .min(0)
    .default(0)
    .transform((id) => (id === 0 ? null : id))
    .meta({
      description: 'Id of a GitHub App that makes tokens for repositories when there is no other; 0 = none.',
      env: 'GITHUB_APP_ID',
    }),
  app_key_file: z.string().default('').meta({
    description: 'File with the private key of that App, relative to the working directory.',
    env: 'GITHUB_APP_PEM_PATH',
  }),
  installation_id: z
    .int()
    .min(0)
    .default(0)
    .transform((id) => (id === 0 ? null : id))
    .meta({
      description: 'Installation of that App to use; 0 = the one that holds the repository.',
      env: 'GITHUB_INSTALLATION_ID',
    }),
  api_url: httpUrl.default('https://api.github.com').meta({
    description:
      'Base of the REST API. That of GitHub Enterprise Server ends in /api/v3; repositories are cloned from the same host.',
    env: 'GITHUB_API',
    sample: 'https://github.example.com/api/v3',
  }),
  url: z
    .union([z.literal(''), httpUrl])
    .default('')
    .meta({
      description: 'Base of the addresses that repositories are cloned from.',
      env: 'GITHUB_URL',
      shownDefault: 'as `github.api_url` says',
    }),
  clone_timeout_seconds: seconds(1)
    .default(600)
    .describe('How long bringing a repository into a workspace may take.'),
  depth: count(0)
    .default(0)
    .describe('Commits of history that a session gets when it does not say; 0 = all.'),
  cache_bytes: bytes(0)
    .default(10 * 1024 ** 3)
    .describe('Most disk space for copies of repositories that make further clones fast; 0 = no copies.'),
  cache_hours: z
    .number()
    .min(0)
    .max(100_000)
    .default(720)
    .describe('How long such a copy stays when nobody uses it.'),
  agent_credentials: z
    .boolean()
    .default(false)
    .describe(
      'Let git in a session’s terminal use the session’s own GITHUB_TOKEN variable, if it has one. The server’s tokens never reach agents.',
    ),
});
