import type { ComponentChildren } from 'preact';
import { describeError } from '../api/error-text.ts';
import { COMMON } from '../texts/common.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

interface NoticeProps {
  readonly tone: 'info' | 'warning' | 'danger';
  readonly children: ComponentChildren;
  readonly action?: ComponentChildren;
}

/** Something that the reader should know. What is wrong is said at once to those who cannot see. */
export function Notice({ tone, children, action }: NoticeProps) {
  return (
    <div class="notice" data-tone={tone} {...(tone === 'danger' ? { role: 'alert' } : {})}>
      <Icon name={tone === 'info' ? 'info' : 'alert'} />
      <div class="notice-body">{children}</div>
      {action}
    </div>
  );
}

interface ErrorNoticeProps {
  readonly error: unknown;
  /** What did not work; before what the server said. */
  readonly title?: string | undefined;
  readonly onRetry?: () => void;
}

/** An error in words, what to do, and the id of the request for those who look into the log. */
export function ErrorNotice({ error, title, onRetry }: ErrorNoticeProps) {
  const { text, advice, requestId } = describeError(error);
  const retry =
    onRetry === undefined ? undefined : (
      <Button size="small" icon="refresh" onClick={onRetry}>
        {COMMON.tryAgain}
      </Button>
    );
  return (
    <Notice tone="danger" action={retry}>
      {title !== undefined && <strong>{title} </strong>}
      {text} {advice}
      {requestId !== undefined && <div class="notice-details">{COMMON.requestId(requestId)}</div>}
    </Notice>
  );
}

interface EmptyStateProps {
  readonly icon: IconName;
  readonly title: string;
  /** Instead of a whole page: the title is that of the page. */
  readonly isPage?: boolean;
  readonly children?: ComponentChildren;
  readonly actions?: ComponentChildren;
}

/** Instead of a list without entries: why there are none, and what to do. */
export function EmptyState({ icon, title, isPage = false, children, actions }: EmptyStateProps) {
  return (
    <div class="empty-state">
      <Icon name={icon} />
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children !== undefined && <p>{children}</p>}
      {actions !== undefined && <div class="page-actions">{actions}</div>}
    </div>
  );
}
