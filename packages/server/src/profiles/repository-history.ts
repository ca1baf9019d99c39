import { AppError } from '../errors.ts';
import { parseRepository } from '../workspace/repository.ts';
import { MAX_ENTRIES, withRepository } from './profile-input.ts';
import type { RepositoryEntry } from './profile.ts';

/**
 * A history after a session was started with these tags: its repository is renewed, whatever form its address
 * has in the history, or added. Nobody asked for the entry, so a full history makes room by itself.
 */
export function withUsedRepository(
  history: readonly RepositoryEntry[],
  tags: Readonly<Record<string, string>>,
  now: Date,
): readonly RepositoryEntry[] {
  const path = pathOf(tags['repository'] ?? '');
  if (path === null) return history;
  const branch = tags['branch'] === '' ? undefined : tags['branch'];
  const known = history.find(({ url }) => pathOf(url)?.toLowerCase() === path.toLowerCase());
  if (known !== undefined) return withRepository(history, { url: known.url, name: known.name, branch }, now);
  const used = { url: `https://github.com/${path}`, name: path, branch };
  return withRepository(history.length < MAX_ENTRIES ? history : withoutOldest(history), used, now);
}

/** `owner/name` of an address; `null` when it is none that a session can start on. */
function pathOf(address: string): string | null {
  try {
    const { owner, name } = parseRepository(address);
    return `${owner}/${name}`;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

function withoutOldest(history: readonly RepositoryEntry[]): readonly RepositoryEntry[] {
  const oldest = Math.min(...history.map(({ accessedAt }) => accessedAt.getTime()));
  const index = history.findIndex(({ accessedAt }) => accessedAt.getTime() === oldest);
  return history.toSpliced(index, 1);
}
