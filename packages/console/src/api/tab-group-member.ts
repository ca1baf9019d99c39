import type { ReadonlySignal } from '@preact/signals';
import { ConnectionError, type OverviewEvent, type StreamOptions } from '@agentapi-proxy/client';
import type { SessionsClient } from './live-sessions.ts';
import { OverviewState } from './overview-state.ts';
import { randomId } from './random-id.ts';
import type { TabChannel, TabGroup } from './tab-group.ts';
import { parseTabMessage, type TabMessage } from './tab-message.ts';

/** What a member works with. */
export interface MemberOptions {
  readonly client: Pick<SessionsClient, 'events'>;
  readonly isSeen: ReadonlySignal<boolean>;
  readonly tabs: TabGroup;
  readonly name: string;
}

type Item =
  | { readonly kind: 'connected' | 'lost' | 'end' }
  | { readonly kind: 'event'; readonly event: OverviewEvent }
  | { readonly kind: 'failed'; readonly error: unknown };

/** A leader that says nothing for so long is asleep: telephones stop pages that nobody sees. */
const ANSWER_MS = 5_000;
/** How long a page may show old things before it finds out that its leader has fallen asleep. */
const CHECK_MS = 20_000;

/**
 * One of several tabs that share one event stream. The one with the lock leads: it has the connection and passes on what
 * comes. When it goes, the browser gives the lock to the next.
 */
export class TabGroupMember {
  readonly #options: MemberOptions;
  readonly #id = randomId();
  readonly #channel: TabChannel;
  readonly #state = new OverviewState();
  readonly #items: Item[] = [];
  readonly #unsubscribe: () => void;
  readonly #check: ReturnType<typeof setInterval>;
  #wake: () => void = () => undefined;
  #answer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the present wait for the lock, or what is done with it. */
  #attempt = new AbortController();
  #isClosed = false;
  #isLeading = false;
  #isOpen = false;
  #term = '';
  #count = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#channel = options.tabs.openChannel(options.name);
    this.#channel.addEventListener('message', ({ data }) => this.#take(parseTabMessage(data)));
    void this.#stand(false);
    // Somebody who looks wants to see what is.
    this.#unsubscribe = options.isSeen.subscribe((isSeen) => {
      if (isSeen) this.#ask();
    });
    this.#check = setInterval(() => {
      if (options.isSeen.peek()) this.#ask();
    }, CHECK_MS);
    if (!options.isSeen.peek()) this.#ask();
  }

  /** What comes, from whichever tab; fails as the stream does. For one reader. */
  async *events({ onConnect, onReconnect }: StreamOptions): AsyncGenerator<OverviewEvent, void, undefined> {
    for (;;) {
      const item = this.#items.shift();
      switch (item?.kind) {
        case undefined:
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          break;
        case 'event':
          yield item.event;
          break;
        case 'connected':
          onConnect?.();
          break;
        case 'lost': {
          const cause = new ConnectionError('The event stream of the tabs was lost');
          onReconnect?.({ attempt: 1, delayMs: 0, cause });
          break;
        }
        case 'failed':
          throw item.error;
        case 'end':
          return;
      }
    }
  }

  /** Leaves the group. @param reason - what the reader is told */
  close(reason?: unknown): void {
    if (this.#isClosed) return;
    this.#items.length = 0;
    this.#finish(reason === undefined ? { kind: 'end' } : { kind: 'failed', error: reason });
  }

  #finish(last: Item): void {
    this.#push(last);
    this.#isClosed = true;
    this.#attempt.abort();
    this.#unsubscribe();
    clearInterval(this.#check);
    clearTimeout(this.#answer);
    this.#channel.close();
  }

  /** Waits for the lock, or takes it from a leader that sleeps; leads for as long as it has it. */
  async #stand(isUrgent: boolean): Promise<void> {
    this.#attempt.abort();
    const attempt = new AbortController();
    this.#attempt = attempt;
    const { tabs, name } = this.#options;
    try {
      const options = isUrgent ? { steal: true } : { signal: attempt.signal };
      await tabs.locks.request(name, options, async () => {
        if (!attempt.signal.aborted) await this.#lead(attempt.signal);
      });
    } catch {
      // It was taken away, or is not wanted any more.
    }
    if (attempt.signal.aborted) return;
    attempt.abort();
    this.#isLeading = false;
    this.#term = '';
    void this.#stand(false);
    this.#ask();
  }

  async #lead(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#answer);
    this.#answer = undefined;
    this.#isLeading = true;
    this.#isOpen = false;
    this.#term = randomId();
    this.#count = 0;
    this.#state.clear();
    const onConnect = (): void => {
      if (signal.aborted) return;
      this.#isOpen = true;
      this.#state.clear();
      this.#push({ kind: 'connected' });
      this.#post({ kind: 'connected', ...this.#next() });
    };
    const onReconnect = (): void => {
      if (signal.aborted) return;
      this.#isOpen = false;
      this.#push({ kind: 'lost' });
      this.#post({ kind: 'lost', isSeen: this.#options.isSeen.peek(), ...this.#next() });
    };
    try {
      for await (const event of this.#options.client.events({ signal, onConnect, onReconnect })) {
        if (signal.aborted) return;
        this.#state.take(event);
        this.#push({ kind: 'event', event });
        this.#post({ kind: 'event', event, ...this.#next() });
      }
      // Whoever reads this has to come back to lead again; others may try before.
      if (!signal.aborted) this.#finish({ kind: 'end' });
    } catch (error) {
      if (!signal.aborted) this.#finish({ kind: 'failed', error });
    }
  }

  #take(message: TabMessage | null): void {
    if (message === null || this.#isClosed) return;
    if (this.#isLeading) {
      if (message.kind === 'ask') this.#reply(message);
      return;
    }
    const { term, count } = message;
    switch (message.kind) {
      case 'ask':
        return;
      case 'state':
        if (message.to !== this.#id) return;
        this.#answered();
        if (message.events === null || (term === this.#term && count <= this.#count)) return;
        this.#follow(term, count);
        if (!message.isOpen) return;
        this.#push({ kind: 'connected' });
        for (const event of message.events) this.#push({ kind: 'event', event });
        return;
      case 'connected':
        this.#answered();
        this.#follow(term, count);
        this.#push({ kind: 'connected' });
        return;
      case 'lost':
        this.#follow(term, count);
        this.#push({ kind: 'lost' });
        // Timers of pages that nobody sees are slow.
        if (!message.isSeen && this.#options.isSeen.peek()) void this.#stand(true);
        return;
      case 'event':
        if (term === this.#term && count === this.#count + 1) {
          this.#follow(term, count);
          this.#push({ kind: 'event', event: message.event });
        } else if (term !== this.#term || count > this.#count) {
          this.#ask();
        }
    }
  }

  /** Asks the leader for what this tab has missed. */
  #ask(): void {
    if (this.#isClosed || this.#isLeading || this.#answer !== undefined) return;
    this.#answer = setTimeout(() => {
      this.#answer = undefined;
      if (!this.#isLeading && this.#options.isSeen.peek()) void this.#stand(true);
    }, ANSWER_MS);
    this.#post({ kind: 'ask', from: this.#id, term: this.#term, count: this.#count });
  }

  #answered(): void {
    clearTimeout(this.#answer);
    this.#answer = undefined;
  }

  #reply({
    from,
    term,
    count,
  }: {
    readonly from: string;
    readonly term: string;
    readonly count: number;
  }): void {
    const isCurrent = term === this.#term && count === this.#count;
    this.#post({
      kind: 'state',
      to: from,
      isOpen: this.#isOpen,
      events: isCurrent ? null : this.#state.events(),
      term: this.#term,
      count: this.#count,
    });
  }

  #follow(term: string, count: number): void {
    this.#term = term;
    this.#count = count;
  }

  #next(): { readonly term: string; readonly count: number } {
    this.#count += 1;
    return { term: this.#term, count: this.#count };
  }

  #post(message: TabMessage): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin only
    if (!this.#isClosed) this.#channel.postMessage(message);
  }

  #push(item: Item): void {
    this.#items.push(item);
    this.#wake();
  }
}
