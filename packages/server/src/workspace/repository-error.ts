/** What went wrong with a repository; callers decide by it, people read the message. */
export type RepositoryFailure =
  /** The forge does not accept the token. */
  | 'authentication_failed'
  /** The token may not do this. */
  | 'access_denied'
  /** There is none, or it cannot be seen with these credentials. */
  | 'repository_not_found'
  | 'ref_not_found'
  | 'host_unreachable'
  | 'timeout'
  | 'disk_full'
  /** There is no usable credential for what needs one. */
  | 'no_credentials'
  /** The forge understood and said no; the message says why. */
  | 'refused'
  /** The workspace holds no repository. */
  | 'not_a_repository'
  | 'nothing_to_push'
  /** Anything else that git or the forge's API reports. */
  | 'failed';

/** Something with a repository did not work; `message` is a sentence for the session's owner, without secrets. */
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError';
  readonly kind: RepositoryFailure;

  constructor(kind: RepositoryFailure, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}
