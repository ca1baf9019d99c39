import { Link } from 'wouter-preact';
import { isLive, type LiveSession } from '../../api/live-session.ts';
import { Badge } from '../../components/badge.tsx';
import { Icon } from '../../components/icon.tsx';
import { Skeleton } from '../../components/loading.tsx';
import { EmptyState, ErrorNotice } from '../../components/notice.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { Table, type Column } from '../../components/table.tsx';
import { useConsole } from '../../console-context.ts';
import { USERS } from '../../texts/administration.ts';
import { SESSIONS } from '../../texts/sessions.ts';
import { userSummaries, type UserSummary } from './user-summary.ts';

const COLUMNS: readonly Column<UserSummary>[] = [
  {
    key: 'user',
    header: USERS.user,
    render: ({ user }) => (
      <Link
        class="users-name"
        href={`/sessions?${new URLSearchParams({ view: 'all', owner: user }).toString()}`}
        title={USERS.show(user)}
      >
        <bdi>{user}</bdi>
      </Link>
    ),
  },
  { key: 'active', header: USERS.active, align: 'end', render: ({ active }) => active },
  {
    key: 'waiting',
    header: USERS.waiting,
    align: 'end',
    render: ({ waiting }) => (waiting === 0 ? 0 : <Badge tone="warning">{waiting}</Badge>),
  },
  {
    key: 'failed',
    header: USERS.failed,
    align: 'end',
    wideOnly: true,
    render: ({ failed }) => (failed === 0 ? 0 : <Badge tone="danger">{failed}</Badge>),
  },
  { key: 'all', header: USERS.all, align: 'end', wideOnly: true, render: ({ all }) => all },
  {
    key: 'activity',
    header: USERS.lastActivity,
    align: 'end',
    render: ({ lastActivity }) => <RelativeTime at={lastActivity} short />,
  },
];

/** Who has sessions, and how many; the list of sessions shows them. */
export function UsersPart() {
  const { sessions } = useConsole();
  const state = sessions.state.value;
  if (state.kind === 'loading') return <Skeleton rows={4} />;
  if (state.kind === 'failed') {
    return <ErrorNotice title={SESSIONS.loadFailed} error={state.error} onRetry={() => sessions.start()} />;
  }
  const all: readonly LiveSession[] = [...sessions.list.value.values()];
  if (all.length === 0) {
    return (
      <EmptyState icon="users" title={USERS.emptyTitle}>
        {USERS.emptyText}
      </EmptyState>
    );
  }
  return (
    <>
      <div class="admin-line">
        <p class="muted">{USERS.intro}</p>
        <Link href="/sessions?view=all" class="button" data-variant="secondary">
          <Icon name="list" />
          {USERS.everybody}
        </Link>
      </div>
      <Table
        caption={USERS.list}
        columns={COLUMNS}
        rows={userSummaries(all, ({ phase }) => isLive(phase))}
        rowKey={({ user }) => user}
      />
    </>
  );
}
