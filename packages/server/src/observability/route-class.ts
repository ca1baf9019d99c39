import type { RequestRecord } from '../request-observer.ts';

/** What agentapi serves, by first segment; everything else of an agent server is `other`. */
const SESSION_ROUTES: ReadonlySet<string> = new Set([
  'message',
  'messages',
  'status',
  'events',
  'upload',
  'internal',
  'attach',
]);

const HEALTH_ROUTES: ReadonlySet<string> = new Set(['health', 'livez', 'readyz']);

/** One of a few words for what a request asked: made of our own routes, never of what was sent. */
export function routeClassOf({ plane, target }: Pick<RequestRecord, 'plane' | 'target'>): string {
  const segment = firstSegmentOf(target);
  if (plane === 'session') return SESSION_ROUTES.has(segment) ? segment : 'other';
  if (target === '') return 'unknown';
  return HEALTH_ROUTES.has(segment) ? 'health' : segment;
}

/** What may stand in a log: the pattern of the route, never a path or a query that somebody sent. */
export function shownRouteOf(record: Pick<RequestRecord, 'plane' | 'target'>): string {
  if (record.plane === 'control') return record.target === '' ? '(unknown)' : record.target;
  const route = routeClassOf(record);
  return `/:sessionId/${route === 'other' ? '*' : route}`;
}

function firstSegmentOf(target: string): string {
  let end = 1;
  while (end < target.length && target[end] !== '/' && target[end] !== '?') end += 1;
  return target.slice(1, end);
}
