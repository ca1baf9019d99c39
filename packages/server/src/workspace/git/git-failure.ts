import { RepositoryError } from '../repository-error.ts';
import type { RepositoryFailure } from '../repository-error.ts';
import type { GitResult } from './git.ts';

/** What git and curl print, in the order in which it counts. */
const SIGNS: readonly (readonly [RegExp, RepositoryFailure])[] = [
  [/Authentication failed|returned error: 401|invalid credentials/i, 'authentication_failed'],
  [/could not read (Username|Password)|terminal prompts disabled/i, 'no_credentials'],
  [/returned error: 403|access denied|permission to .* denied/i, 'access_denied'],
  [/repository .*not found|returned error: 404|remote: not found/i, 'repository_not_found'],
  [/could(n't| not) find remote ref|not our ref|unadvertised object/i, 'ref_not_found'],
  [/operation too slow|timed out|timeout/i, 'timeout'],
  [
    /could not resolve|failed to connect|could(n't| not) connect|connection (refused|reset)|no route|network is unreachable|SSL|TLS|certificate|returned error: 5\d\d|early EOF|hung up/i,
    'host_unreachable',
  ],
  [/no space left|disk quota/i, 'disk_full'],
];

/** Where the credentials of a run came from, for messages. */
export type CredentialOrigin = 'request' | 'server' | 'app' | 'none';

/** What the messages are about. */
export interface FailureSubject {
  /** `owner/name`. */
  readonly repository: string;
  readonly host: string;
  readonly origin: CredentialOrigin;
}

const TOKEN_NAMES: Readonly<Record<CredentialOrigin, string>> = {
  request: 'the token of the request or profile',
  server: "the server's GitHub token",
  app: 'the token of the GitHub App',
  none: 'no token',
};

/** What the failure of a run that talked to the forge means, as a sentence for the session's owner (PX-101). */
export function failureOf(result: GitResult, subject: FailureSubject): RepositoryError {
  const text = result.messages.join('\n');
  const kind = SIGNS.find(([sign]) => sign.test(text))?.[1] ?? 'failed';
  return new RepositoryError(kind, `${sentenceOf(kind, subject)}${quote(result)}`);
}

/** A failure of git within the server's own folders. */
export function localFailureOf(result: GitResult, doing: string): RepositoryError {
  const full = /no space left|disk quota/i.test(result.messages.join('\n'));
  return new RepositoryError(full ? 'disk_full' : 'failed', `${doing} failed${quote(result)}`);
}

function sentenceOf(kind: RepositoryFailure, { repository, host, origin }: FailureSubject): string {
  const token = TOKEN_NAMES[origin];
  switch (kind) {
    case 'authentication_failed':
      return `${host} does not accept ${token}`;
    case 'no_credentials':
      return `${repository} does not exist on ${host}, or it is private and there is no token for it`;
    case 'access_denied':
      return `${host} forbids this for ${repository} with ${token}`;
    case 'repository_not_found':
      return `${repository} does not exist on ${host}, or it cannot be seen with ${token}`;
    case 'host_unreachable':
      return `${host} cannot be reached`;
    case 'timeout':
      return `${host} did not answer in time`;
    case 'disk_full':
      return 'There is no space left on the server';
    case 'ref_not_found':
    case 'refused':
    case 'not_a_repository':
    case 'nothing_to_push':
    case 'failed':
      return `git could not do its work for ${repository}`;
  }
}

/** Git's own last word; the token is masked in it already. */
function quote({ messages, code }: GitResult): string {
  const said = messages.filter((line) => /^(fatal|error|remote):/.test(line)).at(-1) ?? messages.at(-1);
  return said === undefined ? ` (git ended with ${code ?? 'a signal'})` : ` (${said.trim().slice(0, 300)})`;
}
