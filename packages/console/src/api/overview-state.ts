import type { OverviewEvent } from '@agentapi-proxy/client';
import { parseOverviewEvent } from './overview-event.ts';

type Members = Readonly<Record<string, unknown>>;

/** What the stream over all sessions has told since its connection began, as few events as say the same. */
export class OverviewState {
  readonly #sessions = new Map<string, OverviewEvent>();

  take(event: OverviewEvent): void {
    const news = parseOverviewEvent(event);
    if (news === null || !isMembers(event.data)) return;
    const { data } = event;
    switch (news.kind) {
      case 'resync':
        this.clear();
        return;
      case 'gone':
        this.#sessions.delete(news.id);
        return;
      case 'session':
        this.#sessions.set(news.id, event);
        return;
      case 'state': {
        // A new life begins with an agent of which nothing is known.
        const before = news.state === 'running' ? this.#membersOf(news.id) : {};
        this.#sessions.set(news.id, { name: 'session', data: { status: null, ...before, ...data } });
        return;
      }
      case 'status': {
        // A status without a question ends the one before.
        const known = this.#sessions.get(news.id);
        const name = known?.name ?? event.name;
        this.#sessions.set(news.id, {
          name,
          data: { ...this.#membersOf(news.id), waiting_for: undefined, ...data },
        });
        return;
      }
      case 'message':
    }
  }

  clear(): void {
    this.#sessions.clear();
  }

  /** Tells somebody who has just come how everything is. */
  events(): readonly OverviewEvent[] {
    return [...this.#sessions.values()];
  }

  #membersOf(id: string): Members {
    const data = this.#sessions.get(id)?.data;
    return isMembers(data) ? data : {};
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}
