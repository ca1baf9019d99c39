/**
 * What went wrong: `unavailable` and `busy` may pass; `full` and `read_only` need room or rights; `corrupt`,
 * `foreign`, `newer` and `key` need somebody who decides; `conflict` is a value that is taken.
 */
export type StoreErrorKind =
  | 'unavailable'
  | 'busy'
  | 'full'
  | 'read_only'
  | 'corrupt'
  | 'foreign'
  | 'newer'
  | 'key'
  | 'conflict'
  | 'failed';

/**
 * The store cannot do what was asked. `message` is a sentence for the operator that names the database and
 * what would help, and holds no secret. At start it is fatal (DF-31).
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}
