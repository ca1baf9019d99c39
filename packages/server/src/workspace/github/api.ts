import type { Octokit } from '@octokit/core';
import type { PaginateInterface } from '@octokit/plugin-paginate-rest';
import { packageVersion } from '../../version.ts';
import { RepositoryError } from '../repository-error.ts';
import type { RepositoryFailure } from '../repository-error.ts';

/** A client of the REST API that walks through pages. */
export type ApiOctokit = Octokit & { readonly paginate: PaginateInterface };

/** An answer of the API takes seconds; a forge that hangs must not hold a session. */
const API_TIMEOUT_MS = 30_000;

/** A client of the API at this address; its libraries are loaded when the first one is made. */
export async function octokitFor(baseUrl: string, options: object): Promise<ApiOctokit> {
  const [{ Octokit }, { paginateRest }] = await Promise.all([
    import('@octokit/core'),
    import('@octokit/plugin-paginate-rest'),
  ]);
  const Client = Octokit.plugin(paginateRest);
  return new Client({
    baseUrl,
    userAgent: `agentapi-proxy/${packageVersion()}`,
    // Their warnings on standard error would stand beside the server's log.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    request: {
      fetch: async (url: string, init: RequestInit): Promise<Response> => {
        const deadline = AbortSignal.timeout(API_TIMEOUT_MS);
        const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
        return fetch(url, { ...init, signal });
      },
    },
    ...options,
  });
}

function ignore(): void {
  // Failures are thrown, and said there.
}

/** What a failure of the API means, as a sentence for the session's owner. */
export function apiFailureOf(error: unknown, subject: string, apiUrl: string): RepositoryError {
  if (error instanceof RepositoryError) return error;
  const host = new URL(apiUrl).host;
  const status = statusOf(error);
  if (status === null) {
    return new RepositoryError('host_unreachable', `The API of ${host} cannot be reached`, { cause: error });
  }
  const message = `${subject} was refused by ${host} (${status}${detailOf(error)})`;
  return new RepositoryError(kindOf(status), message, { cause: error });
}

function kindOf(status: number): RepositoryFailure {
  if (status === 401) return 'authentication_failed';
  if (status === 403) return 'access_denied';
  if (status === 404) return 'repository_not_found';
  return status >= 500 ? 'host_unreachable' : 'refused';
}

/** The status of an answer; `null` when there was none. */
function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  // Without an answer the library makes up a 500.
  return 'response' in error && error.response !== undefined ? error.status : null;
}

/** What the API says, such as `A pull request already exists for o:b.`; it quotes no credentials. */
function detailOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? `: ${error.message.slice(0, 300)}` : '';
}
