import { Link } from 'wouter-preact';
import { EmptyState } from '../components/notice.tsx';
import { usePageTitle } from '../console-context.ts';
import { COMMON } from '../texts/common.ts';

/** For addresses without a page. */
export function NotFoundPage() {
  usePageTitle(COMMON.notFoundTitle);
  return (
    <div class="page">
      <EmptyState
        icon="search"
        isPage
        title={COMMON.notFoundTitle}
        actions={
          <Link href="/" class="button" data-variant="primary">
            {COMMON.toSessions}
          </Link>
        }
      >
        {COMMON.notFoundText}
      </EmptyState>
    </div>
  );
}
