import { z } from 'zod';
import { AppError } from '../errors.ts';
import { isLive, SESSION_STATES } from './session.ts';
import type { Session, SessionState } from './session.ts';
import { wireStatus } from './wire-status.ts';

/** Largest page; more asked for gives this many (PX-120: `limit=1000` must not fail). */
const MAX_PAGE = 1000;

/** What `GET /search` asks for. */
export interface SearchFilter {
  /** Exact value of the wire field `status`; `null` for any. */
  readonly status: string | null;
  /** States to show; `null` for the live ones. */
  readonly states: ReadonlySet<SessionState> | null;
  readonly tags: ReadonlyMap<string, string>;
  readonly userId: string | null;
  /** Page size; `null` for all. */
  readonly limit: number | null;
  readonly cursor: Cursor | null;
}

interface Cursor {
  readonly createdAt: number;
  readonly id: string;
}

export interface SearchPage {
  readonly sessions: readonly Session[];
  /** Opaque; given back as `cursor` it yields the next page. `null` on the last one. */
  readonly nextCursor: string | null;
}

const cursorSchema = z.tuple([z.int(), z.string()]);

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
    limit: parseLimit(value('limit')),
    cursor: cursor === null ? null : decodeCursor(cursor),
  };
}

/** Newest first; equal times are ordered by id, so the order is the same in every call (PX-115, PX-122). */
export function searchSessions(all: Iterable<Session>, filter: SearchFilter): SearchPage {
  const matching = [...all].filter((session) => matches(session, filter)).sort(newestFirst);
  const { cursor, limit } = filter;
  const rest = cursor === null ? matching : matching.filter((session) => isAfter(session, cursor));
  const page = limit === null ? rest : rest.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = page.length < rest.length && last !== undefined ? encodeCursor(last) : null;
  return { sessions: page, nextCursor };
}

function matches(session: Session, filter: SearchFilter): boolean {
  const shown = filter.states === null ? isLive(session.state) : filter.states.has(session.state);
  if (!shown) return false;
  if (filter.status !== null && wireStatus(session.state) !== filter.status) return false;
  if (filter.userId !== null && session.ownerId !== filter.userId) return false;
  for (const [key, value] of filter.tags) {
    if (!Object.hasOwn(session.facts.tags, key) || session.facts.tags[key] !== value) return false;
  }
  return true;
}

function newestFirst(a: Session, b: Session): number {
  return b.facts.createdAt.getTime() - a.facts.createdAt.getTime() || (a.id < b.id ? -1 : 1);
}

function isAfter(session: Session, cursor: Cursor): boolean {
  const createdAt = session.facts.createdAt.getTime();
  return createdAt < cursor.createdAt || (createdAt === cursor.createdAt && session.id > cursor.id);
}

function encodeCursor(session: Session): string {
  return Buffer.from(JSON.stringify([session.facts.createdAt.getTime(), session.id])).toString('base64url');
}

function decodeCursor(text: string): Cursor {
  try {
    const [createdAt, id] = cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { createdAt, id };
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
