import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RepositoryError } from '../repository-error.ts';
import { fullNameOf } from '../repository.ts';
import type { RepositoryReference } from '../repository.ts';
import { apiFailureOf, octokitFor } from './api.ts';
import type { ApiOctokit } from './api.ts';

/** Credentials of a GitHub App. */
export interface AppSettings {
  readonly apiUrl: string;
  readonly appId: number;
  /** File with the private key in PEM. */
  readonly keyFile: string;
  /** Installation to use for every repository; `null` = the one that holds the repository. */
  readonly installationId: number | null;
}

/** A token that ends sooner is replaced before it is used: what has begun with it must be able to finish. */
const REFRESH_MS = 5 * 60_000;
const PER_PAGE = 100;

const installationSchema = z.object({
  id: z.int(),
  account: z.object({ login: z.string().optional() }).nullish(),
});
const pageSchema = z.array(installationSchema);
const tokenSchema = z.object({ token: z.string(), expiresAt: z.string() });

/** Makes tokens for repositories as a GitHub App (DF-45). Each is good for one repository only. */
export class AppTokens {
  readonly #settings: AppSettings;
  readonly #mask: (token: string) => () => void;
  /** Lets the log forget the last token of each repository. */
  readonly #unmask = new Map<string, () => void>();
  readonly #installations = new Map<string, number>();
  #octokit: Promise<ApiOctokit> | null = null;

  /** @param mask - told each token, so that no log shows one, until what it returns is called. */
  constructor(settings: AppSettings, mask: (token: string) => () => void) {
    this.#settings = settings;
    this.#mask = mask;
  }

  /**
   * A token that reads and writes this repository, good for five minutes at least.
   * @throws RepositoryError when the key cannot be used, the App is not installed there, or the API does not answer.
   */
  async tokenFor(repository: RepositoryReference, signal: AbortSignal): Promise<string> {
    this.#octokit ??= this.#connect();
    const octokit = await this.#octokit.catch((error: unknown) => {
      // The file may be mended; the next session looks again.
      this.#octokit = null;
      throw error;
    });
    const subject = `The GitHub App ${this.#settings.appId}`;
    try {
      const installationId = await this.#installationOf(octokit, repository, signal);
      const ask = async (refresh: boolean): Promise<z.infer<typeof tokenSchema>> =>
        tokenSchema.parse(
          await octokit.auth({
            type: 'installation',
            installationId,
            repositoryNames: [repository.name],
            refresh,
          }),
        );
      let { token, expiresAt } = await ask(false);
      if (Date.parse(expiresAt) - Date.now() < REFRESH_MS) ({ token, expiresAt } = await ask(true));
      const unmaskLast = this.#unmask.get(keyOf(repository));
      this.#unmask.set(keyOf(repository), this.#mask(token));
      unmaskLast?.();
      return token;
    } catch (error) {
      this.#installations.delete(keyOf(repository));
      throw apiFailureOf(error, subject, this.#settings.apiUrl);
    }
  }

  async #connect(): Promise<ApiOctokit> {
    const { apiUrl, appId, keyFile } = this.#settings;
    let privateKey: string;
    try {
      privateKey = await readFile(keyFile, 'utf8');
    } catch (cause) {
      throw new RepositoryError('no_credentials', 'The private key of the GitHub App cannot be read', {
        cause,
      });
    }
    const { createAppAuth } = await import('@octokit/auth-app');
    return octokitFor(apiUrl, { authStrategy: createAppAuth, auth: { appId, privateKey } });
  }

  /** The installation that holds the repository: asked for directly, else searched for in all pages. */
  async #installationOf(
    octokit: ApiOctokit,
    repository: RepositoryReference,
    signal: AbortSignal,
  ): Promise<number> {
    const { installationId } = this.#settings;
    if (installationId !== null) return installationId;
    const key = keyOf(repository);
    const known = this.#installations.get(key);
    if (known !== undefined) return known;
    const found =
      (await direct(octokit, repository, signal)) ?? (await searched(octokit, repository, signal));
    if (found === null) {
      throw new RepositoryError(
        'access_denied',
        `The GitHub App ${this.#settings.appId} is not installed for ${fullNameOf(repository)}`,
      );
    }
    this.#installations.set(key, found);
    return found;
  }
}

async function direct(
  octokit: ApiOctokit,
  { owner, name: repo }: RepositoryReference,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/installation', {
      owner,
      repo,
      request: { signal },
    });
    return installationSchema.parse(data).id;
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 404) return null;
    throw error;
  }
}

/** Some servers do not know the direct way; whose account it is decides then. */
async function searched(
  octokit: ApiOctokit,
  { owner }: RepositoryReference,
  signal: AbortSignal,
): Promise<number | null> {
  const pages = octokit.paginate.iterator({
    method: 'GET',
    url: '/app/installations',
    per_page: PER_PAGE,
    request: { signal },
  });
  for await (const { data } of pages) {
    for (const { id, account } of pageSchema.parse(data)) {
      if (account?.login?.toLowerCase() === owner.toLowerCase()) return id;
    }
  }
  return null;
}

function keyOf({ owner, name }: RepositoryReference): string {
  return `${owner}/${name}`.toLowerCase();
}
