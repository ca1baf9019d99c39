import { signal, type ReadonlySignal } from '@preact/signals';
import { ApiError, ClientError, type Session, type TerminalEvent } from '@agentapi-proxy/client';
import type { StreamTurns } from '../api/stream-turns.ts';
import { pause, whileSeen } from '../api/while-seen.ts';

/** Whether the screen on the page is that of the agent. */
export type FeedState =
  | { readonly kind: 'connecting' | 'live' | 'reconnecting' | 'ended' }
  /** The agent has no terminal. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What a feed shows. */
export interface FeedTarget<Event> {
  /** The stream of the server, over as many connections as it takes. */
  readonly open: (session: Session, options: StreamHooks) => AsyncGenerator<Event, void, undefined>;
  /** Shows something; the next comes when it has. */
  readonly show: (event: Event) => Promise<void> | void;
}

interface StreamHooks {
  readonly signal: AbortSignal;
  readonly onReconnect: () => void;
}

/** A session that starts has no terminal yet; it is asked for again after this. */
const RETRY_MS = 1_500;

/** Follows the screen of a session for as long as it is looked at. */
export class TerminalFeed<Event> {
  readonly #session: Session;
  readonly #target: FeedTarget<Event>;
  readonly #turns: StreamTurns;
  readonly #life = new AbortController();
  readonly #state = signal<FeedState>({ kind: 'connecting' });
  readonly state: ReadonlySignal<FeedState> = this.#state;

  /** @param turns - while it has none the screen stands still */
  constructor(session: Session, target: FeedTarget<Event>, turns: StreamTurns) {
    this.#session = session;
    this.#target = target;
    this.#turns = turns;
    void this.#follow();
  }

  close(): void {
    this.#life.abort();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#life;
    while (!signal.aborted) {
      try {
        const onReconnect = (): void => this.#set({ kind: 'reconnecting' });
        const open = (end: AbortSignal) => this.#target.open(this.#session, { signal: end, onReconnect });
        const stream = { turns: this.#turns, signal, open, onRetry: onReconnect };
        for await (const event of whileSeen(stream)) {
          await this.#target.show(event);
          this.#set({ kind: 'live' });
        }
        this.#set({ kind: 'ended' });
        return;
      } catch (error) {
        const state = afterError(error);
        if (state !== null) {
          this.#set(state);
          return;
        }
        if (this.#state.value.kind !== 'connecting') this.#set({ kind: 'reconnecting' });
        await pause(RETRY_MS, signal);
      }
    }
  }

  #set(state: FeedState): void {
    if (this.#life.signal.aborted || this.#state.value.kind === state.kind) return;
    this.#state.value = state;
  }
}

/** What an error of the stream means for good; `null` when it may pass. */
function afterError(error: unknown): FeedState | null {
  if (error instanceof NoTerminalError) return { kind: 'none' };
  if (error instanceof ApiError) {
    if (error.code === 'session_not_found') return { kind: 'ended' };
    if (error.kind === 'not_found') return { kind: 'none' };
    if (error.kind === 'unavailable') return null;
    return { kind: 'failed', error };
  }
  return error instanceof ClientError ? null : { kind: 'failed', error };
}

/** The agent speaks a protocol instead of drawing a screen. */
class NoTerminalError extends Error {
  override readonly name = 'NoTerminalError';
}

/** The real screen, for an emulator. */
export function terminalEvents(show: (event: TerminalEvent) => Promise<void>): FeedTarget<TerminalEvent> {
  return {
    open: async function* (session, hooks) {
      const { transport } = await session.status({ signal: hooks.signal });
      if (transport === 'acp') throw new NoTerminalError();
      yield* session.agent.terminal(hooks);
    },
    show,
  };
}

/** The screen as text, of other agent servers than ours. */
export function screenTexts(show: (screen: string) => void): FeedTarget<string> {
  return { open: (session, hooks) => session.agent.screens(hooks), show };
}
