import { useEffect } from 'preact/hooks';
import { Link, useParams } from 'wouter-preact';
import type { LiveSession } from '../api/live-session.ts';
import { useSession } from '../api/use-session.ts';
import { Icon } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { EmptyState, ErrorNotice, Notice } from '../components/notice.tsx';
import { useConsole, usePageTitle, useSessionTitle } from '../console-context.ts';
import { lazy } from '../lazy-page.tsx';
import { COMMON } from '../texts/common.ts';
import { SESSION } from '../texts/sessions.ts';
import { NotFoundPage } from './not-found-page.tsx';
import { SessionHeader } from './session/session-header.tsx';
import { SESSION_TABS, type SessionPanelProps, type SessionTab } from './session/session-tabs.ts';
import '../components/tabs.css';
import './session/session-page.css';

const TABS = SESSION_TABS.map((tab) => ({ ...tab, Panel: lazy(tab.load) }));

/** One session: what it is, what can be done with it, and its parts. */
export function SessionPage() {
  const { id = '', '*': rest = '' } = useParams<{ id?: string; '*'?: string }>();
  const lookup = useSession(id);
  const { notifications } = useConsole();
  useEffect(() => {
    notifications.setViewed(id);
    return () => notifications.setViewed(null);
  }, [notifications, id]);
  switch (lookup.kind) {
    case 'loading':
      return <Loading />;
    case 'missing':
      return <MissingSession />;
    case 'failed':
      return (
        <div class="page">
          <ErrorNotice title={SESSION.loadFailed} error={lookup.error} onRetry={lookup.retry} />
        </div>
      );
    case 'ready':
      return (
        <Content
          key={id}
          session={lookup.session}
          details={lookup.details}
          detailsError={lookup.detailsError}
          onRetry={lookup.retry}
          path={rest}
        />
      );
  }
}

interface ContentProps extends SessionPanelProps {
  readonly path: string;
}

function Content({ path, ...panel }: ContentProps) {
  const { session, details } = panel;
  const { auth } = useConsole();
  const title = useSessionTitle(session);
  usePageTitle(title);
  const tabs = auth.can('session:access') ? TABS : [];
  const tab = tabs.find((each) => each.path === path);
  return (
    <div class="session-page">
      <SessionHeader session={session} title={title} isInterruptBelow={tab?.hasInterrupt === true} />
      {tabs.length > 1 && <TabBar session={session} tabs={tabs} current={path} />}
      {session.phase === 'failed' && (
        <div class="session-notice">
          <Notice tone="danger">{SESSION.failed(details?.reason ?? '')}</Notice>
        </div>
      )}
      {/* Keyed by part: a part does not get the state of another. */}
      <div class="session-panel">
        {tab !== undefined ? (
          <tab.Panel key={tab.path} {...panel} />
        ) : tabs.length === 0 ? (
          <EmptyState icon="lock" title={SESSION.listOnlyTitle}>
            {SESSION.listOnlyText}
          </EmptyState>
        ) : (
          <NotFoundPage />
        )}
      </div>
    </div>
  );
}

interface TabBarProps {
  readonly session: LiveSession;
  readonly tabs: readonly SessionTab[];
  readonly current: string;
}

function TabBar({ session, tabs, current }: TabBarProps) {
  return (
    <nav class="tabs" aria-label={SESSION.tabList}>
      {tabs.map(({ path, label }) => (
        <Link
          key={path}
          href={`/sessions/${session.id}${path === '' ? '' : `/${path}`}`}
          class="tab"
          {...(path === current ? { 'aria-current': 'page' } : {})}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}

function MissingSession() {
  usePageTitle(SESSION.missingTitle);
  return (
    <div class="page">
      <EmptyState
        icon="search"
        isPage
        title={SESSION.missingTitle}
        actions={
          <Link href="/sessions" class="button" data-variant="primary">
            <Icon name="chevronLeft" />
            {COMMON.toSessions}
          </Link>
        }
      >
        {SESSION.missingText}
      </EmptyState>
    </div>
  );
}
