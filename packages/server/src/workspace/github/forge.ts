import type { RepositoryReference } from '../repository.ts';

/** Where repositories are cloned from and where their API is. */
export interface Forge {
  /** Base of the REST API, without a slash at the end, such as `https://api.github.com`. */
  readonly apiUrl: string;
  /** Base of clone addresses, with a slash at the end, such as `https://github.com/`. */
  readonly cloneBase: string;
  /** Host, and port if there is one, of {@link cloneBase}. */
  readonly host: string;
}

/** How a REST API of GitHub Enterprise Server ends. */
const ENTERPRISE_PATH = /\/api\/v3$/;

/**
 * The forge of an API address (DD-21). Clone addresses follow from it: `https://api.github.com` belongs to
 * `https://github.com`, `https://HOST/api/v3` to `https://HOST`, `https://api.HOST` to `https://HOST`.
 * @param url - base of clone addresses where the rule does not hold; empty = by the rule.
 */
export function forgeOf(apiUrl: string, url: string): Forge {
  const api = new URL(apiUrl);
  const path = api.pathname.replace(/\/+$/, '');
  const base = new URL(url === '' ? apiUrl : url);
  if (url === '') {
    base.pathname = ENTERPRISE_PATH.test(path) ? path.replace(ENTERPRISE_PATH, '/') : '/';
    base.host = base.host.replace(/^api\./, '');
  }
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return { apiUrl: `${api.origin}${path}`, cloneBase: `${base.origin}${base.pathname}`, host: base.host };
}

/** The address that a repository is cloned from; no credentials in it (DF-15). */
export function cloneUrlOf({ cloneBase }: Forge, { owner, name }: RepositoryReference): string {
  return `${cloneBase}${owner}/${name}.git`;
}
