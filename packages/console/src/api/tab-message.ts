import type { OverviewEvent } from '@agentapi-proxy/client';

/** Which tab has led since when, and how many of its messages there were. */
interface Place {
  readonly term: string;
  readonly count: number;
}

/** What tabs that share one stream say to each other. */
export type TabMessage =
  /** To the leader: what has happened since this place? */
  | ({ readonly kind: 'ask'; readonly from: string } & Place)
  /** The answer: nothing (`null`), or everything as it is. */
  | ({
      readonly kind: 'state';
      readonly to: string;
      readonly isOpen: boolean;
      readonly events: readonly OverviewEvent[] | null;
    } & Place)
  /** The leader has a new connection; what was told before may be old. */
  | ({ readonly kind: 'connected' } & Place)
  /** The leader has lost its connection; a leader that nobody sees may be slow to replace it. */
  | ({ readonly kind: 'lost'; readonly isSeen: boolean } & Place)
  | ({ readonly kind: 'event'; readonly event: OverviewEvent } & Place);

/** Reads what came from another tab, perhaps one of another version; `null` for anything else. */
export function parseTabMessage(value: unknown): TabMessage | null {
  if (!isRecord(value)) return null;
  const { kind, term, count, from, to, isOpen, events, isSeen, event } = value;
  if (typeof term !== 'string' || typeof count !== 'number') return null;
  const place = { term, count };
  switch (kind) {
    case 'ask':
      return typeof from === 'string' ? { kind, from, ...place } : null;
    case 'state': {
      if (typeof to !== 'string' || typeof isOpen !== 'boolean') return null;
      if (events !== null && !isEvents(events)) return null;
      return { kind, to, isOpen, events, ...place };
    }
    case 'connected':
      return { kind, ...place };
    case 'lost':
      return typeof isSeen === 'boolean' ? { kind, isSeen, ...place } : null;
    case 'event':
      return isEvent(event) ? { kind, event, ...place } : null;
    default:
      return null;
  }
}

function isEvents(value: unknown): value is readonly OverviewEvent[] {
  return Array.isArray(value) && value.every(isEvent);
}

function isEvent(value: unknown): value is OverviewEvent {
  return isRecord(value) && typeof value['name'] === 'string' && 'data' in value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
