import { Link } from 'wouter-preact';
import { COMMON } from '../texts/common.ts';

/** Mark and name of the product. */
export function Brand() {
  return (
    <Link href="/" class="brand">
      <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="currentColor" />
        <path
          d="M9 11l5 5-5 5M16.5 21.5H23"
          fill="none"
          stroke="var(--color-bg)"
          stroke-width="3"
          stroke-linecap="round"
          stroke-linejoin="round"
        />
      </svg>
      {COMMON.product}
    </Link>
  );
}
