/** Variable of a session that names its workspace. */
export const WORKSPACE_NAME_VARIABLE = 'WORKSPACE_NAME';

/** Characters of the name itself; paths and screens have limits. */
const MAX_SLUG_CHARS = 40;
/** So much of the session's id makes the name unique. */
const ID_CHARS = 8;

/**
 * The folder name of a workspace: what its session calls it, made safe, and the beginning of the session's id. Never
 * hidden, never a path, never taken for an option.
 * @returns `null` when the session gives it no name.
 */
export function workspaceNameOf(wanted: string | undefined, sessionId: string): string | null {
  if (wanted === undefined || wanted.trim() === '') return null;
  const plain = wanted.normalize('NFKD').replaceAll(/\p{M}+/gu, '');
  const words = plain.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/([._-])[._-]+/g, '$1');
  const slug = withoutEdges(withoutEdges(words).slice(0, MAX_SLUG_CHARS));
  return `${slug === '' ? 'workspace' : slug}${suffixOf(sessionId)}`;
}

/** Whether a folder name was made by {@link workspaceNameOf} for this session. */
export function isWorkspaceName(name: string, sessionId: string): boolean {
  return name.endsWith(suffixOf(sessionId));
}

function suffixOf(sessionId: string): string {
  return `-${sessionId.slice(0, ID_CHARS)}`;
}

function withoutEdges(text: string): string {
  return text.replaceAll(/^[._-]+|[._-]+$/g, '');
}
