import { COMMON } from '../texts/common.ts';

/** Something is under way; says so to those who cannot see. */
export function Loading({ label = COMMON.loading }: { readonly label?: string }) {
  return (
    <div class="loading" role="status">
      <span class="spinner" />
      {label}
    </div>
  );
}

/** The outline of a list that is being fetched. */
export function Skeleton({ rows = 6 }: { readonly rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={COMMON.loading}>
      {Array.from({ length: rows }, (_none, index) => (
        <span key={index} />
      ))}
    </div>
  );
}
