import { Loading } from '../../components/loading.tsx';
import { ErrorNotice } from '../../components/notice.tsx';
import { SESSION } from '../../texts/sessions.ts';

interface DetailsPendingProps {
  /** `null` while they may still come. */
  readonly error: unknown;
  readonly onRetry: () => void;
}

/** Instead of what needs the details of a session, until they are there. */
export function DetailsPending({ error, onRetry }: DetailsPendingProps) {
  if (error === null) return <Loading />;
  return <ErrorNotice title={SESSION.loadFailed} error={error} onRetry={onRetry} />;
}
