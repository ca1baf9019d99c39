import type { LiveSession, SessionPhase } from '../../api/live-session.ts';

/** Which part of the list is shown. */
export const VIEWS = ['active', 'waiting', 'working', 'failed', 'ended', 'all'] as const;
export type SessionsView = (typeof VIEWS)[number];

/** In which order. */
export const SORTS = ['activity', 'created', 'title', 'status'] as const;
export type SessionsSort = (typeof SORTS)[number];

/** What somebody looks for; all of it is in the address of the page. */
export interface SessionFilter {
  readonly view: SessionsView;
  readonly sort: SessionsSort;
  readonly text: string;
  readonly agent: string | null;
  readonly owner: string | null;
  /** `name:value` each; all must hold. */
  readonly tags: readonly string[];
}

/** The list as it is without any choice. */
export const NO_FILTER: SessionFilter = {
  view: 'active',
  sort: 'activity',
  text: '',
  agent: null,
  owner: null,
  tags: [],
};

const PHASES_OF: Readonly<Record<SessionsView, readonly SessionPhase[]>> = {
  active: ['starting', 'working', 'waiting', 'stopping'],
  waiting: ['waiting'],
  working: ['working', 'starting'],
  failed: ['failed'],
  ended: ['stopped', 'failed', 'stopping'],
  all: ['starting', 'working', 'waiting', 'stopping', 'stopped', 'failed'],
};

/** What needs somebody comes first. */
const PHASE_ORDER: readonly SessionPhase[] = [
  'waiting',
  'failed',
  'working',
  'starting',
  'stopping',
  'stopped',
];

/** Reads a filter from the query of the page; what is not understood is left out. */
export function filterOf(query: URLSearchParams): SessionFilter {
  const view = VIEWS.find((each) => each === query.get('view')) ?? NO_FILTER.view;
  const sort = SORTS.find((each) => each === query.get('sort')) ?? NO_FILTER.sort;
  return {
    view,
    sort,
    text: query.get('q') ?? '',
    agent: query.get('agent'),
    owner: query.get('owner'),
    tags: query.getAll('tag').filter((tag) => tag !== ''),
  };
}

/** The query of the page for a filter; empty without any choice. */
export function queryOf({ view, sort, text, agent, owner, tags }: SessionFilter): URLSearchParams {
  const query = new URLSearchParams();
  if (view !== NO_FILTER.view) query.set('view', view);
  if (text !== '') query.set('q', text);
  if (agent !== null) query.set('agent', agent);
  if (owner !== null) query.set('owner', owner);
  for (const tag of tags) query.append('tag', tag);
  if (sort !== NO_FILTER.sort) query.set('sort', sort);
  return query;
}

/** A tag as filters name it. */
export function tagFilter(name: string, value: string): string {
  return `${name}:${value}`;
}

/** Sessions that fit everything but the view. */
export function matching(
  sessions: Iterable<LiveSession>,
  filter: SessionFilter,
  title: (session: LiveSession) => string,
): LiveSession[] {
  const words = filter.text
    .toLocaleLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return [...sessions].filter((session) => {
    if (filter.agent !== null && session.agent !== filter.agent) return false;
    if (filter.owner !== null && session.ownerId !== filter.owner) return false;
    const tags = Object.entries(session.tags).map(([name, value]) => tagFilter(name, value));
    if (!filter.tags.every((tag) => tags.includes(tag))) return false;
    if (words.length === 0) return true;
    const { agent, ownerId, workspaceName = '' } = session;
    const text = [title(session), agent, ownerId, workspaceName, ...tags].join('\n').toLocaleLowerCase();
    // Ids are random: a number anywhere in them means nothing.
    return words.every((word) => text.includes(word) || session.id.startsWith(word));
  });
}

/** How many of these sessions each view shows. */
export function countsOf(sessions: readonly LiveSession[]): Readonly<Record<SessionsView, number>> {
  const counts = { active: 0, waiting: 0, working: 0, failed: 0, ended: 0, all: 0 };
  for (const { phase } of sessions) {
    for (const view of VIEWS) if (PHASES_OF[view].includes(phase)) counts[view] += 1;
  }
  return counts;
}

/** The sessions of a view, in its order. */
export function arranged(
  sessions: readonly LiveSession[],
  { view, sort }: Pick<SessionFilter, 'view' | 'sort'>,
  title: (session: LiveSession) => string,
): LiveSession[] {
  const shown = sessions.filter(({ phase }) => PHASES_OF[view].includes(phase));
  const newest = (a: LiveSession, b: LiveSession): number =>
    b.createdAt - a.createdAt || a.id.localeCompare(b.id);
  switch (sort) {
    case 'activity':
      return shown.sort((a, b) => b.lastActivity - a.lastActivity || newest(a, b));
    case 'created':
      return shown.sort(newest);
    case 'title':
      return shown.sort((a, b) => title(a).localeCompare(title(b)) || newest(a, b));
    case 'status':
      return shown.sort(
        (a, b) =>
          PHASE_ORDER.indexOf(a.phase) - PHASE_ORDER.indexOf(b.phase) ||
          b.lastActivity - a.lastActivity ||
          newest(a, b),
      );
  }
}
