import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Client } from '@agentapi-proxy/client';
import { SESSIONS } from '../texts/sessions.ts';
import type { LiveSession } from './live-session.ts';

/** Tags that name a session. */
export const NAME_TAGS = ['title', 'name'] as const;

/** Asked for at the same time at most; a list that is scrolled asks for many. */
const MAX_ASKED = 4;
/** The first message of the person is among the first few: agents greet. */
const FIRST_MESSAGES = 8;
const MAX_LENGTH = 140;

/** What sessions are about: the first thing that was said to the agent. Fetched for those that are looked at. */
export class Titles {
  readonly #client: Pick<Client, 'session'>;
  readonly #known = new Map<string, Signal<string | null>>();
  readonly #waiting: string[] = [];
  readonly #settled = new Set<string>();
  #asked = 0;

  constructor(client: Pick<Client, 'session'>) {
    this.#client = client;
  }

  /** The first message to the agent in one line; `null` while it is not known. Asking for it fetches it. */
  of(sessionId: string): ReadonlySignal<string | null> {
    const known = this.#known.get(sessionId);
    if (known !== undefined) return known;
    const title = signal<string | null>(null);
    this.#known.set(sessionId, title);
    this.#waiting.push(sessionId);
    this.#askNext();
    return title;
  }

  /** Something was said to an agent: looks again, if nothing was said before. */
  onMessage(sessionId: string, role: string): void {
    if (role !== 'user' || this.#settled.has(sessionId) || !this.#known.has(sessionId)) return;
    if (this.#waiting.includes(sessionId)) return;
    this.#waiting.push(sessionId);
    this.#askNext();
  }

  /** Forgets everything: somebody else uses the console. */
  clear(): void {
    this.#known.clear();
    this.#settled.clear();
    this.#waiting.length = 0;
  }

  #askNext(): void {
    while (this.#asked < MAX_ASKED) {
      // The last row asked for is the one in view.
      const id = this.#waiting.pop();
      if (id === undefined) return;
      this.#asked += 1;
      void this.#ask(id);
    }
  }

  async #ask(id: string): Promise<void> {
    try {
      const { messages } = await this.#client.session(id).conversation.messages({ limit: FIRST_MESSAGES });
      const first = messages.find(({ role }) => role === 'user');
      const title = this.#known.get(id);
      if (first !== undefined && title !== undefined) {
        title.value = oneLine(first.content);
        this.#settled.add(id);
      }
    } catch {
      // Those who may list sessions may not read all of them: a session without a title has its id.
    } finally {
      this.#asked -= 1;
      this.#askNext();
    }
  }
}

/** What a session is called: its tag, the first message, its folder, or its id. */
export function titleOf(session: LiveSession, firstMessage: string | null): string {
  for (const name of NAME_TAGS) {
    const tag = session.tags[name]?.trim();
    if (tag !== undefined && tag !== '') return tag;
  }
  return firstMessage ?? session.workspaceName ?? SESSIONS.untitled(session.id);
}

function oneLine(text: string): string | null {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  if (line === '') return null;
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}
