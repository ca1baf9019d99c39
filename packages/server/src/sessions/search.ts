import { z } from 'zod';
import { AppError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import { isLive, SESSION_STATES } from './session.ts';
import type { SessionCursor } from '../store/session-record.ts';
import type { SessionOverview, SessionState } from './session.ts';
import { wireStatus } from './wire-status.ts';

/** Largest page; more asked for gives this many (PX-120: `limit=1000` must not fail). */
export const MAX_PAGE = 1000;

/** The last time that a `Date` holds. */
const LATEST_MS = 8.64e15;

/** What `GET /search` asks for. */
export interface SearchFilter {
  /** Exact value of the wire field `status`; `null` for any. */
  readonly status: string | null;
  /** States to show; `null` for the live ones. */
  readonly states: ReadonlySet<SessionState> | null;
  readonly tags: ReadonlyMap<string, string>;
  readonly userId: string | null;
  /** Whether sessions that others have shared with the caller are listed, too. */
  readonly shared: boolean;
  /** Page size; `null` for all, which is a page of the largest size when sessions that have ended are among them. */
  readonly limit: number | null;
  readonly cursor: SessionCursor | null;
}

export interface SearchPage<Found extends SessionOverview = SessionOverview> {
  readonly sessions: readonly Found[];
  /** Opaque; given back as `cursor` it yields the next page. `null` on the last one. */
  readonly nextCursor: string | null;
}

const cursorSchema = z.tuple([z.int().min(0).max(LATEST_MS), plainText()]);

/**
 * Reads the raw query of `GET /search`. Unknown parameters are ignored (PX-120); of a repeated one
 * the first counts (PX-118); an empty value filters nothing.
 * @throws AppError `invalid_query`
 */
export function parseSearch(query: URLSearchParams): SearchFilter {
  const value = (name: string): string | null => {
    const first = query.get(name);
    return first === null || first === '' ? null : first;
  };
  const tags = new Map<string, string>();
  for (const [name, content] of query) {
    if (name.startsWith('tag.') && !tags.has(name.slice(4))) tags.set(name.slice(4), content);
  }
  const cursor = value('cursor');
  return {
    status: value('status'),
    states: parseStates(value('state')),
    tags,
    userId: value('user_id'),
    shared: value('shared') === 'true',
    limit: parseLimit(value('limit')),
    cursor: cursor === null ? null : decodeCursor(cursor),
  };
}

/** The states that a search is for. */
export function statesOf({ states, status }: SearchFilter): ReadonlySet<SessionState> {
  const wanted = states ?? new Set(SESSION_STATES.filter(isLive));
  return status === null ? wanted : new Set([...wanted].filter((state) => wireStatus(state) === status));
}

/**
 * The page of a search that begins after the cursor: newest first, equal times ordered by id, so that the order is
 * the same in every call (PX-115, PX-122).
 * @param all - sessions that match; those before the cursor may be among them, and a session more than once.
 * @param limit - size of the page.
 * @param hasMore - whether there are more sessions than those of `all`, all of them older.
 */
export function pageOf<Found extends SessionOverview>(
  all: Iterable<Found>,
  cursor: SessionCursor | null,
  limit: number,
  hasMore = false,
): SearchPage<Found> {
  const unique = new Map<string, Found>();
  for (const session of all) if (!unique.has(session.facts.id)) unique.set(session.facts.id, session);
  const sorted = [...unique.values()]
    .filter((one) => cursor === null || isAfter(one, cursor))
    .sort(newestFirst);
  const sessions = sorted.slice(0, limit);
  const last = sessions.at(-1);
  const isCut = sessions.length < sorted.length || hasMore;
  return { sessions, nextCursor: isCut && last !== undefined ? encodeCursor(last) : null };
}

/** All sessions that match, page by page. */
export function searchSessions<Found extends SessionOverview>(
  all: Iterable<Found>,
  filter: SearchFilter,
): SearchPage<Found> {
  const matching = [...all].filter((session) => matchesSearch(session, filter));
  return pageOf(matching, filter.cursor, filter.limit ?? Number.POSITIVE_INFINITY);
}

/** Whether a session is what a search is for; the cursor is not looked at. */
export function matchesSearch(session: SessionOverview, filter: SearchFilter): boolean {
  if (!statesOf(filter).has(session.state)) return false;
  if (filter.userId !== null && session.facts.ownerId !== filter.userId) return false;
  for (const [key, value] of filter.tags) {
    if (!Object.hasOwn(session.facts.tags, key) || session.facts.tags[key] !== value) return false;
  }
  return true;
}

function newestFirst(a: SessionOverview, b: SessionOverview): number {
  return b.facts.createdAt.getTime() - a.facts.createdAt.getTime() || (a.facts.id < b.facts.id ? -1 : 1);
}

function isAfter({ facts }: SessionOverview, cursor: SessionCursor): boolean {
  const distance = facts.createdAt.getTime() - cursor.createdAt.getTime();
  return distance < 0 || (distance === 0 && facts.id > cursor.id);
}

function encodeCursor({ facts }: SessionOverview): string {
  return Buffer.from(JSON.stringify([facts.createdAt.getTime(), facts.id])).toString('base64url');
}

function decodeCursor(text: string): SessionCursor {
  try {
    const [createdAt, id] = cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { createdAt: new Date(createdAt), id };
  } catch (error) {
    throw new AppError('invalid_query', {
      message: 'cursor must be a next_cursor of an earlier answer',
      details: { field: 'cursor' },
      cause: error,
    });
  }
}

function parseLimit(text: string | null): number | null {
  if (text === null) return null;
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new AppError('invalid_query', {
      message: `limit must be a whole number from 1 to ${MAX_PAGE}`,
      details: { field: 'limit' },
    });
  }
  return Math.min(limit, MAX_PAGE);
}

function parseStates(text: string | null): ReadonlySet<SessionState> | null {
  if (text === null) return null;
  if (text === 'all') return new Set(SESSION_STATES);
  return new Set(
    text.split(',').map((word) => {
      const state = SESSION_STATES.find((candidate) => candidate === word.trim());
      if (state === undefined) {
        throw new AppError('invalid_query', {
          message: `state must be "all" or a comma list of ${SESSION_STATES.join(', ')}; got ${JSON.stringify(word.slice(0, 40))}`,
          details: { field: 'state' },
        });
      }
      return state;
    }),
  );
}
