import { RepositoryError } from '../repository-error.ts';
import { failureOf } from './git-failure.ts';
import type { FailureSubject } from './git-failure.ts';
import type { GitCredential } from './git.ts';
import type { RepositoryView } from './repository-view.ts';

/** An upload of ordinary size takes seconds. */
const PUSH_TIMEOUT_MS = 300_000;

export interface PushRequest {
  /** Address of the repository; never what the workspace calls its remote. */
  readonly url: string;
  readonly credential: GitCredential;
  /** Branch of the forge. */
  readonly branch: string;
  /** Whether commits of the branch that the workspace does not have are given up. */
  readonly force: boolean;
  readonly subject: FailureSubject;
}

/** What became of a branch of the forge. */
export interface PushOutcome {
  readonly branch: string;
  readonly commit: string;
  readonly result: 'created' | 'updated' | 'up_to_date';
}

/**
 * Pushes the last commit of a workspace to a branch of the forge. Hooks of the repository do not run.
 * @throws RepositoryError `nothing_to_push` without a commit, `refused` when the forge does not take it.
 */
export async function push(view: RepositoryView, request: PushRequest): Promise<PushOutcome> {
  const { commit } = view.head;
  const { url, credential, branch, force, subject } = request;
  if (commit === null) throw new RepositoryError('nothing_to_push', 'The workspace has no commit yet');
  const result = await view.run({
    args: [
      ...['push', '--porcelain', '--no-verify', '--no-signed', '--recurse-submodules=no'],
      ...(force ? ['--force'] : []),
      ...['--', url, `${commit}:refs/heads/${branch}`],
    ],
    protocols: 'http:https',
    credential,
    timeoutMs: PUSH_TIMEOUT_MS,
  });
  const outcome = readOutcome(result.stdout.toString('utf8'));
  if (outcome === null) throw failureOf(result, subject);
  if (outcome.flag === '!') {
    const said = result.messages.filter((line) => line.startsWith('remote:')).join(' ');
    throw new RepositoryError(
      'refused',
      `${subject.host} did not take the branch ${branch}: ${outcome.summary}${said === '' ? '' : ` (${said.slice(0, 300)})`}`,
    );
  }
  const results = { '*': 'created', '=': 'up_to_date' } as const;
  const { flag } = outcome;
  return { branch, commit, result: flag === '*' || flag === '=' ? results[flag] : 'updated' };
}

/** The line of the one branch that was pushed: `FLAG TAB FROM:TO TAB SUMMARY`. */
function readOutcome(text: string): { readonly flag: string; readonly summary: string } | null {
  const match = /^([ +\-*!=])\t[^\t]+\t(.*)$/m.exec(text);
  return match === null ? null : { flag: match[1] ?? '', summary: match[2] ?? '' };
}
