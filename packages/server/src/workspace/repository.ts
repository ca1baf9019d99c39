import { AppError } from '../errors.ts';

/** A repository on a forge, checked: safe as a path component and as a program argument. */
export interface RepositoryReference {
  readonly owner: string;
  readonly name: string;
}

const PREFIXES = ['https://github.com/', 'http://github.com/', 'git@github.com:'] as const;
const PART = /^[A-Za-z0-9_.-]{1,100}$/;

/**
 * Reads a `repository` tag: `owner/repo`, or a GitHub address with or without `.git` (PX-097).
 * @throws AppError `invalid_repository` for anything else, before anything is started (DF-01, DF-48).
 */
export function parseRepository(value: string): RepositoryReference {
  const prefix = PREFIXES.find((candidate) => value.startsWith(candidate));
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
      message: `tags.repository must be "owner/repo" or a GitHub address of one, made of letters, digits, "_", "." and "-" and not starting with "-"; got ${JSON.stringify(value.slice(0, 200))}`,
      details: { field: 'tags.repository' },
    });
  }
  return { owner, name };
}

function isSafePart(part: string): boolean {
  return PART.test(part) && !part.startsWith('-') && part !== '.' && part !== '..';
}
