import { useMemo } from 'preact/hooks';
import { Link, useParams } from 'wouter-preact';
import { useConsole, usePageTitle } from '../console-context.ts';
import { MetricsHistory } from '../metrics/metrics-history.ts';
import { ADMIN } from '../texts/administration.ts';
import { AuditPart } from './admin/audit-part.tsx';
import { MetricsPart } from './admin/metrics-part.tsx';
import { UsersPart } from './admin/users-part.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import '../components/tabs.css';
import './admin/admin-page.css';

/** What those see who run the server: how it is, who works with it, and what was done. */
export function AdminPage() {
  const { '*': path = '' } = useParams<{ '*'?: string }>();
  const { auth } = useConsole();
  // Outlives the change from one part to another.
  const history = useMemo(() => new MetricsHistory(), []);
  const parts = [
    {
      path: '',
      label: ADMIN.tabs.metrics,
      permission: 'metrics:read',
      content: () => <MetricsPart history={history} />,
    },
    { path: 'users', label: ADMIN.tabs.users, permission: 'session:list', content: () => <UsersPart /> },
    { path: 'audit', label: ADMIN.tabs.audit, permission: 'audit:read', content: () => <AuditPart /> },
  ].filter(({ permission }) => auth.can(permission));
  const wanted = parts.find((part) => part.path === path);
  // An admin without the first part finds the next one there.
  const shown = wanted ?? (path === '' ? parts[0] : undefined);
  usePageTitle(shown?.label ?? ADMIN.page);
  if (shown === undefined) return <NotFoundPage />;
  return (
    <div class="page">
      <header class="page-header">
        <h1>{ADMIN.page}</h1>
      </header>
      <nav class="tabs admin-tabs" aria-label={ADMIN.tabList}>
        {parts.map((part) => (
          <Link
            key={part.path}
            href={part.path === '' ? '/admin' : `/admin/${part.path}`}
            class="tab"
            {...(part === shown ? { 'aria-current': 'page' } : {})}
          >
            {part.label}
          </Link>
        ))}
      </nav>
      {shown.content()}
    </div>
  );
}
