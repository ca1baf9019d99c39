import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { isLive, type LiveSession } from '../api/live-session.ts';
import { titleOf } from '../api/titles.ts';
import { Button } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { Skeleton } from '../components/loading.tsx';
import { EmptyState, ErrorNotice } from '../components/notice.tsx';
import { useConsole, usePageTitle } from '../console-context.ts';
import { ROUTES } from '../routes.ts';
import { SESSIONS } from '../texts/sessions.ts';
import { useSearch } from '../use-search.ts';
import { EndDialog } from './sessions/end-dialog.tsx';
import { FilterBar } from './sessions/filter-bar.tsx';
import {
  arranged,
  countsOf,
  filterOf,
  matching,
  NO_FILTER,
  queryOf,
  tagFilter,
} from './sessions/session-filter.ts';
import type { SessionFilter } from './sessions/session-filter.ts';
import { SessionList } from './sessions/session-list.tsx';
import './sessions/sessions-page.css';

const CREATE_PATH = '/sessions/new';

/** All sessions, live. */
export function SessionsPage() {
  const { auth, sessions } = useConsole();
  usePageTitle(SESSIONS.page);
  const state = sessions.state.value;
  const canCreate = auth.can('session:create') && ROUTES.some(({ path }) => path === CREATE_PATH);
  return (
    <div class="page sessions-page">
      <header class="page-header">
        <h1>{SESSIONS.page}</h1>
        {canCreate && (
          <Link href={CREATE_PATH} class="button" data-variant="primary">
            <Icon name="plus" />
            {SESSIONS.create}
          </Link>
        )}
      </header>
      {state.kind === 'failed' && (
        <ErrorNotice title={SESSIONS.loadFailed} error={state.error} onRetry={() => sessions.start()} />
      )}
      {state.kind === 'loading' && <Skeleton />}
      {state.kind === 'ready' && <Content canCreate={canCreate} />}
    </div>
  );
}

function Content({ canCreate }: { readonly canCreate: boolean }) {
  const { auth, sessions, titles } = useConsole();
  const search = useSearch();
  const [path, navigate] = useLocation();
  const searchField = useRef<HTMLInputElement>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isEnding, setEnding] = useState(false);
  const lastSelected = useRef<string | null>(null);
  const filter = useMemo(() => filterOf(new URLSearchParams(search)), [search]);
  const all = [...sessions.list.value.values()];
  // A search looks into all titles; without one those in view are enough.
  const needsTitles = filter.text !== '' || filter.sort === 'title';
  const mayRead = auth.can('session:access');
  const title = (session: LiveSession): string =>
    titleOf(session, needsTitles && mayRead ? titles.of(session.id).value : null);

  const found = matching(all, filter, title);
  const counts = countsOf(found);
  const shown = arranged(found, filter, title);
  const agents = [...new Set(all.map(({ agent }) => agent))].sort();
  const owners = [...new Set(all.map(({ ownerId }) => ownerId))].sort();
  const canSelect = (session: LiveSession): boolean => auth.can('session:delete') && auth.canManage(session);
  // What was selected and is gone is not selected any more.
  const chosen = all.filter((session) => selected.has(session.id) && canSelect(session));
  const selectable = shown.filter(canSelect);

  const latest = useRef({ filter, shown, canSelect });
  latest.current = { filter, shown, canSelect };
  const change = useCallback(
    (part: Partial<SessionFilter>): void => {
      const query = queryOf({ ...latest.current.filter, ...part }).toString();
      navigate(`${path}${query === '' ? '' : `?${query}`}`, { replace: true });
    },
    [path, navigate],
  );
  const select = useCallback((session: LiveSession, isSelected: boolean, isRange: boolean): void => {
    const rows = latest.current.shown;
    const from = rows.findIndex(({ id }) => id === lastSelected.current);
    const to = rows.indexOf(session);
    const range =
      isRange && from >= 0 && to >= 0 ? rows.slice(Math.min(from, to), Math.max(from, to) + 1) : [session];
    lastSelected.current = session.id;
    setSelected((known) => {
      const next = new Set(known);
      for (const each of range.filter(latest.current.canSelect)) {
        if (isSelected) next.add(each.id);
        else next.delete(each.id);
      }
      return next;
    });
  }, []);
  const addTag = useCallback(
    (name: string, value: string): void => {
      const tag = tagFilter(name, value);
      const { tags } = latest.current.filter;
      if (!tags.includes(tag)) change({ tags: [...tags, tag] });
    },
    [change],
  );

  if (all.length === 0) return <NoSessions canCreate={canCreate} />;
  return (
    <>
      <FilterBar
        filter={filter}
        counts={counts}
        agents={agents}
        owners={owners}
        searchRef={searchField}
        onChange={change}
      />
      <div class="list-head">
        {selectable.length > 0 && (
          <input
            type="checkbox"
            aria-label={SESSIONS.selectAll}
            checked={selectable.every(({ id }) => selected.has(id))}
            indeterminate={chosen.length > 0 && chosen.length < selectable.length}
            onChange={(event) =>
              setSelected(new Set(event.currentTarget.checked ? selectable.map(({ id }) => id) : []))
            }
          />
        )}
        {chosen.length === 0 ? (
          <span class="muted" role="status">
            {SESSIONS.count(shown.length, all.length)}
          </span>
        ) : (
          <>
            <strong role="status">{SESSIONS.selected(chosen.length)}</strong>
            <Button size="small" icon="stop" onClick={() => setEnding(true)}>
              {chosen.some(({ phase }) => isLive(phase)) ? SESSIONS.end : SESSIONS.remove}
            </Button>
            <Button size="small" variant="ghost" onClick={() => setSelected(new Set())}>
              {SESSIONS.clearSelection}
            </Button>
          </>
        )}
      </div>
      {shown.length === 0 ? (
        <NoMatch filter={filter} onChange={change} />
      ) : (
        <SessionList
          sessions={shown}
          selected={selected}
          canSelect={canSelect}
          showOwner={owners.some((owner) => owner !== auth.me?.user_id)}
          onSelect={select}
          onTag={addTag}
          onSearch={() => searchField.current?.focus()}
          onEscape={() => setSelected(new Set())}
        />
      )}
      {isEnding && (
        <EndDialog
          sessions={chosen}
          onClose={() => setEnding(false)}
          onEnded={(ids) => setSelected((known) => new Set([...known].filter((id) => !ids.includes(id))))}
        />
      )}
    </>
  );
}

function NoSessions({ canCreate }: { readonly canCreate: boolean }) {
  return (
    <EmptyState
      icon="terminal"
      title={SESSIONS.emptyTitle}
      actions={
        canCreate && (
          <Link href={CREATE_PATH} class="button" data-variant="primary">
            <Icon name="plus" />
            {SESSIONS.create}
          </Link>
        )
      }
    >
      {SESSIONS.emptyText} {!canCreate && SESSIONS.emptyReadonly}
    </EmptyState>
  );
}

interface NoMatchProps {
  readonly filter: SessionFilter;
  readonly onChange: (change: Partial<SessionFilter>) => void;
}

function NoMatch({ filter, onChange }: NoMatchProps) {
  const isNarrowed =
    filter.text !== '' || filter.agent !== null || filter.owner !== null || filter.tags.length > 0;
  if (!isNarrowed && filter.view === 'active') {
    return (
      <EmptyState
        icon="pause"
        title={SESSIONS.noActiveTitle}
        actions={<Button onClick={() => onChange({ view: 'ended' })}>{SESSIONS.showEnded}</Button>}
      >
        {SESSIONS.noActiveText}
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon="search"
      title={SESSIONS.noMatchTitle}
      actions={
        <Button onClick={() => onChange({ ...NO_FILTER, view: 'all', sort: filter.sort })}>
          {SESSIONS.clearFilters}
        </Button>
      }
    >
      {SESSIONS.noMatchText}
    </EmptyState>
  );
}
