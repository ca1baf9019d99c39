import { randomId } from './random-id.ts';
import type { TabChannel, TabLocks } from './tab-group.ts';

/** A holder answers at once, unless its tab is asleep or busy. */
const ANSWER_MS = 400;
/** So often those who wait ask whether there still is a holder; a crashed tab does not say that it goes. */
const ASK_AGAIN_MS = 6_000;
/** Before those who wait ask at the same time, so that one of them is first. */
const SPREAD_MS = 200;

const WORDS = ['want', 'held', 'free', 'steal'] as const;

interface Said {
  /** `want`: is it free? `held`: no, or not any more. `free`: its holder goes. `steal`: whoever holds it holds it no more. */
  readonly word: (typeof WORDS)[number];
  readonly from: string;
}

/**
 * Locks among the tabs of a browser where it has none itself: on pages without HTTPS. The tabs agree over a channel. Two
 * may hold a lock for a moment, until they hear of each other; then the one with the smaller number keeps it.
 */
export class ChannelLocks implements TabLocks {
  readonly #openChannel: (name: string) => TabChannel;
  readonly #page: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

  /** @param page - tells by `pagehide` that the tab goes */
  constructor(
    openChannel: (name: string) => TabChannel,
    page: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>,
  ) {
    this.#openChannel = openChannel;
    this.#page = page;
  }

  /** @throws DOMException `AbortError` when `options.signal` aborts the wait, or the lock is taken away */
  async request(
    name: string,
    { signal, steal = false }: LockOptions,
    work: () => Promise<void>,
  ): Promise<void> {
    signal?.throwIfAborted();
    const claim = new Claim(this.#openChannel(`${name}.lock`));
    const give = (): void => claim.giveUp();
    signal?.addEventListener('abort', give);
    this.#page.addEventListener('pagehide', give);
    try {
      await Promise.race([claim.lost, steal ? claim.steal() : claim.granted()]);
      // As with those of browsers: whoever has it is not asked to give it back.
      signal?.removeEventListener('abort', give);
      await Promise.race([claim.lost, work()]);
    } finally {
      signal?.removeEventListener('abort', give);
      this.#page.removeEventListener('pagehide', give);
      claim.giveUp();
    }
  }
}

/** One tab's wish for a lock, until it has it and gives it back. */
class Claim {
  readonly #channel: TabChannel;
  readonly #id = randomId();
  #phase: 'waiting' | 'asking' | 'holding' | 'over' = 'waiting';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onGranted: () => void = () => undefined;
  #lose: (reason: DOMException) => void = () => undefined;
  /** Rejects when there is no hope for the lock, or it is gone. */
  readonly lost = new Promise<never>((_resolve, reject) => {
    this.#lose = reject;
  });

  constructor(channel: TabChannel) {
    this.#channel = channel;
    this.lost.catch(() => undefined);
    channel.addEventListener('message', ({ data }) => {
      const said = parse(data);
      if (said !== null) this.#hear(said);
    });
  }

  /** Resolves when nobody else has it. */
  async granted(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onGranted = resolve;
      this.#ask();
    });
  }

  /** Takes it from whoever has it. */
  async steal(): Promise<void> {
    this.#say('steal');
    this.#phase = 'holding';
  }

  giveUp(): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'holding') this.#say('free');
    this.#end();
  }

  #ask(): void {
    this.#phase = 'asking';
    this.#say('want');
    this.#in(ANSWER_MS, () => {
      this.#phase = 'holding';
      this.#say('held');
      this.#onGranted();
    });
  }

  #wait(ms: number): void {
    this.#phase = 'waiting';
    this.#in(ms + Math.random() * SPREAD_MS, () => this.#ask());
  }

  #hear({ word, from }: Said): void {
    if (this.#phase === 'holding') {
      if (word === 'want') this.#say('held');
      if (word === 'steal' || (word === 'held' && from < this.#id)) this.#end();
      // The other one has to hear of this one.
      else if (word === 'held') this.#say('held');
      return;
    }
    if (this.#phase === 'over') return;
    if (word === 'free') this.#wait(0);
    // Whoever asks is before those who wait, and of those who ask at the same time the smallest is first.
    else if (word !== 'want' || this.#phase === 'waiting' || from < this.#id) this.#wait(ASK_AGAIN_MS);
  }

  #in(ms: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }

  #say(word: Said['word']): void {
    const said: Said = { word, from: this.#id };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin only
    this.#channel.postMessage(said);
  }

  #end(): void {
    this.#phase = 'over';
    clearTimeout(this.#timer);
    this.#channel.close();
    this.#lose(new DOMException('The lock is gone', 'AbortError'));
  }
}

/** What another tab says; another version of this page may say something else. */
function parse(data: unknown): Said | null {
  if (typeof data !== 'object' || data === null || !('word' in data) || !('from' in data)) return null;
  const word = WORDS.find((each) => each === data.word);
  return word === undefined || typeof data.from !== 'string' ? null : { word, from: data.from };
}
