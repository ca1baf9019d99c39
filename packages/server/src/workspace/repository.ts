import { AppError } from '../errors.ts';

/** A repository on a forge, checked: safe as a path component and as a program argument. */
export interface RepositoryReference {
  readonly owner: string;
  readonly name: string;
}

/** The forge whose addresses are always understood, whatever server repositories are cloned from. */
const PUBLIC_HOST = 'github.com';
const PART = /^[A-Za-z0-9_.-]{1,100}$/;

/** Which field of a request a value comes from, and which forge besides github.com it may name. */
export interface RepositorySource {
  readonly field?: string;
  /** Host and port of the forge, such as `github.example.com`. */
  readonly host?: string;
}

/**
 * Reads a repository: `owner/repo`, or a GitHub address with or without `.git` (PX-097).
 * @throws AppError `invalid_repository` for anything else, before anything is started (DF-01, DF-48).
 */
export function parseRepository(value: string, source: RepositorySource = {}): RepositoryReference {
  const { field = 'tags.repository', host = PUBLIC_HOST } = source;
  const prefixes = [PUBLIC_HOST, host].flatMap((name) => [
    `https://${name}/`,
    `http://${name}/`,
    `git@${name}:`,
  ]);
  const prefix = prefixes.find((candidate) => value.startsWith(candidate));
  const path = (prefix === undefined ? value : value.slice(prefix.length)).replace(/\.git$/, '');
  const [owner, name, ...rest] = path.split('/');
  if (
    owner === undefined ||
    name === undefined ||
    rest.length > 0 ||
    !isSafePart(owner) ||
    !isSafePart(name)
  ) {
    throw new AppError('invalid_repository', {
      message: `${field} must be "owner/repo" or a GitHub address of one, made of letters, digits, "_", "." and "-" and not starting with "-"; got ${JSON.stringify(value.slice(0, 200))}`,
      details: { field },
    });
  }
  return { owner, name };
}

/** `owner/name`. */
export function fullNameOf({ owner, name }: RepositoryReference): string {
  return `${owner}/${name}`;
}

function isSafePart(part: string): boolean {
  return PART.test(part) && !part.startsWith('-') && part !== '.' && part !== '..';
}
