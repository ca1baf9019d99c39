import { z } from 'zod';
import type { RepositoryReference } from '../repository.ts';
import { apiFailureOf, octokitFor } from './api.ts';

export interface PullRequestDraft {
  readonly repository: RepositoryReference;
  readonly title: string;
  readonly body: string;
  /** Branch with the changes; it is on the forge. */
  readonly head: string;
  /** Branch that they shall go into; `null` = the default branch of the repository. */
  readonly base: string | null;
  readonly draft: boolean;
}

export interface PullRequest {
  readonly number: number;
  /** For people. */
  readonly url: string;
  readonly base: string;
}

const repositorySchema = z.object({ default_branch: z.string() });
const pullSchema = z.object({ number: z.int(), html_url: z.string() });

/**
 * Opens a pull request.
 * @throws RepositoryError with what the API says, such as that there is one already.
 */
export async function openPullRequest(
  apiUrl: string,
  token: string,
  { repository, head, title, body, draft, base: wanted }: PullRequestDraft,
  signal: AbortSignal,
): Promise<PullRequest> {
  const { owner, name: repo } = repository;
  const octokit = await octokitFor(apiUrl, { auth: token });
  const request = { signal };
  try {
    let base = wanted;
    if (base === null) {
      const { data } = await octokit.request('GET /repos/{owner}/{repo}', { owner, repo, request });
      base = repositorySchema.parse(data).default_branch;
    }
    const { data } = await octokit.request('POST /repos/{owner}/{repo}/pulls', {
      ...{ owner, repo, title, body, head, base, draft },
      request,
    });
    const { number, html_url: url } = pullSchema.parse(data);
    return { number, url, base };
  } catch (error) {
    throw apiFailureOf(error, 'The pull request', apiUrl);
  }
}
