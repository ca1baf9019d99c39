import { StoreError } from '../store/store-error.ts';
import type { StoreErrorKind } from '../store/store-error.ts';

const PASSING: ReadonlySet<StoreErrorKind> = new Set(['unavailable', 'busy', 'read_only', 'full']);

/** Whether a failure of the store passes, by itself or when somebody makes room. */
export function passes(error: unknown): boolean {
  return error instanceof StoreError && PASSING.has(error.kind);
}
