import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import type { AuditEntry } from '@agentapi-proxy/client';
import { errorText } from '../../api/error-text.ts';
import { useLoaded } from '../../api/use-loaded.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Button, IconButton } from '../../components/button.tsx';
import { Skeleton } from '../../components/loading.tsx';
import { EmptyState, ErrorNotice } from '../../components/notice.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { Table, type Column } from '../../components/table.tsx';
import { useConsole } from '../../console-context.ts';
import { AUDIT } from '../../texts/administration.ts';
import { useSearch } from '../../use-search.ts';
import { AuditEntryDialog } from './audit-entry-dialog.tsx';
import { AuditFilters } from './audit-filters.tsx';
import { auditFilterOf, auditQueryOf, NO_AUDIT_QUERY, searchOf, type AuditQuery } from './audit-filter.ts';

const PAGE = 100;
/** Typing is not followed letter by letter. */
const PAUSE_MS = 300;

const TONES: Readonly<Record<AuditEntry['outcome'], Tone>> = {
  allowed: 'success',
  denied: 'warning',
  failed: 'danger',
};

/** What was done and refused on the server. */
export function AuditPart() {
  const { client, toasts } = useConsole();
  const search = useSearch();
  const [path, navigate] = useLocation();
  const filters = useMemo(() => auditQueryOf(new URLSearchParams(search)), [search]);
  const settled = useSettled(search, PAUSE_MS);
  const [older, setOlder] = useState<{ readonly entries: readonly AuditEntry[]; readonly cursor?: string }>();
  const [isMore, setMore] = useState(false);
  const [shown, setShown] = useState<AuditEntry | null>(null);
  const filter = useMemo(() => auditFilterOf(auditQueryOf(new URLSearchParams(settled))), [settled]);
  const latestFilter = useRef(filter);
  latestFilter.current = filter;
  const { value, error, isLoading, reload } = useLoaded(
    async (signal) => {
      const page = await client.audit.list({ ...filter, limit: PAGE }, { signal });
      setOlder(undefined);
      return page;
    },
    [client, filter],
  );
  const change = (part: Partial<AuditQuery>): void => {
    const query = searchOf({ ...filters, ...part }).toString();
    navigate(`${path}${query === '' ? '' : `?${query}`}`, { replace: true });
  };
  const entries = [...(value?.entries ?? []), ...(older?.entries ?? [])];
  const cursor = older === undefined ? value?.next_cursor : older.cursor;
  const loadOlder = async (): Promise<void> => {
    if (cursor === undefined) return;
    setMore(true);
    try {
      const page = await client.audit.list({ ...filter, limit: PAGE, cursor });
      // Older entries of other filters than those of now are nobody's business.
      if (latestFilter.current !== filter) return;
      setOlder({
        entries: [...(older?.entries ?? []), ...page.entries],
        ...(page.next_cursor === undefined ? {} : { cursor: page.next_cursor }),
      });
    } catch (failure) {
      toasts.failure(errorText(failure));
    } finally {
      setMore(false);
    }
  };
  const isFiltered = searchOf(filters).size > 0;
  return (
    <>
      <AuditFilters
        filters={filters}
        actions={[...new Set(entries.map(({ action }) => action))].sort()}
        onChange={change}
      />
      <div class="admin-line">
        <span class="muted" role="status">
          {value !== null && AUDIT.shown(entries.length)}
        </span>
        <span class="page-actions">
          {isFiltered && (
            <Button size="small" variant="ghost" onClick={() => change(NO_AUDIT_QUERY)}>
              {AUDIT.clear}
            </Button>
          )}
          <IconButton
            icon="refresh"
            size="small"
            label={AUDIT.refresh}
            aria-busy={isLoading}
            onClick={reload}
          />
        </span>
      </div>
      {error !== null && <ErrorNotice title={AUDIT.loadFailed} error={error} onRetry={reload} />}
      {value === null && error === null && <Skeleton />}
      {value !== null && entries.length === 0 && (
        <EmptyState icon="shield" title={isFiltered ? AUDIT.noMatchTitle : AUDIT.emptyTitle}>
          {isFiltered ? AUDIT.noMatchText : AUDIT.emptyText}
        </EmptyState>
      )}
      {entries.length > 0 && (
        <Table
          caption={AUDIT.list}
          columns={columns(setShown)}
          rows={entries}
          rowKey={({ id }) => String(id)}
        />
      )}
      {cursor !== undefined && (
        <div class="page-actions">
          <Button busy={isMore} onClick={() => void loadOlder()}>
            {AUDIT.older}
          </Button>
        </div>
      )}
      {shown !== null && <AuditEntryDialog entry={shown} onClose={() => setShown(null)} />}
    </>
  );
}

function columns(onShow: (entry: AuditEntry) => void): readonly Column<AuditEntry>[] {
  return [
    { key: 'when', header: AUDIT.when, render: ({ at }) => <RelativeTime at={at} /> },
    {
      key: 'who',
      header: AUDIT.who,
      render: ({ user_id: user }) =>
        user === null ? <span class="muted">{AUDIT.nobody}</span> : <bdi class="audit-name">{user}</bdi>,
    },
    {
      key: 'what',
      header: AUDIT.what,
      render: (entry) => (
        <button
          type="button"
          class="link-button mono"
          aria-label={AUDIT.showDetails(entry.action)}
          onClick={() => onShow(entry)}
        >
          {entry.action}
        </button>
      ),
    },
    {
      key: 'on',
      header: AUDIT.on,
      wideOnly: true,
      render: ({ target_kind: kind, target_id: id }) =>
        kind === null ? (
          <span class="muted">{AUDIT.none}</span>
        ) : (
          <span class="audit-target">
            {kind} {id !== null && <code class="truncate">{id}</code>}
          </span>
        ),
    },
    {
      key: 'result',
      header: AUDIT.result,
      render: ({ outcome }) => <Badge tone={TONES[outcome]}>{AUDIT.outcomes[outcome]}</Badge>,
    },
  ];
}

/** A value once it has not changed for a while; the first one at once. */
function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
