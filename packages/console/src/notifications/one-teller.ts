import { randomId } from '../api/random-id.ts';
import type { TabChannel } from '../api/tab-group.ts';

/** For what other tabs have to say about it; each of them hears of a change at another moment. */
const TELL_MS = 300;
/** Tabs that nobody sees run their timers once a second only, and hear of a change so much later than others. */
const RECENT_MS = 2_500;

const WORDS = ['claim', 'told', 'watched', 'seen'] as const;

interface Said {
  /**
   * `claim`: I would tell of it. `told`: I have. `watched`: somebody was looking when it happened. `seen`: somebody looks
   * at it now.
   */
  readonly word: (typeof WORDS)[number];
  readonly id: string;
  /** Who says it; the smallest tells. */
  readonly from: string;
}

/** What a tab does about something that has happened. */
interface Telling {
  /** Nobody has seen it, in any tab. */
  readonly onUnseen: () => void;
  /** This tab is the one that tells. */
  readonly tell: () => void;
}

/** Lets one of several tabs tell of something, and none when somebody sees it in any of them. */
export class OneTeller {
  readonly #channel: TabChannel | null;
  readonly #tab = randomId();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** What other tabs have said of late. */
  #heard: readonly (Said & { readonly at: number })[] = [];

  /**
   * @param channel - to the other tabs; `null` where the browser keeps them apart
   * @param onSeen - somebody looks at it in another tab
   */
  constructor(channel: TabChannel | null, onSeen: (id: string) => void) {
    this.#channel = channel;
    channel?.addEventListener('message', ({ data }) => {
      const said = parseSaid(data);
      if (said === null) return;
      this.#recent();
      this.#heard = [...this.#heard, { ...said, at: Date.now() }];
      if (said.word !== 'seen' && said.word !== 'watched') return;
      this.forget(said.id);
      if (said.word === 'seen') onSeen(said.id);
    });
  }

  /** Something has happened that this tab does not show. */
  happened(id: string, { onUnseen, tell }: Telling): void {
    this.forget(id);
    if (this.#recent().some((said) => said.id === id && said.word === 'watched')) return;
    const from = `${isAudible() ? 0 : 1}${this.#tab}`;
    this.#say('claim', id, from);
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        const others = this.#recent().filter((said) => said.id === id);
        onUnseen();
        if (others.some((said) => said.word === 'told' || (said.word === 'claim' && said.from < from)))
          return;
        this.#say('told', id, from);
        tell();
      }, TELL_MS),
    );
  }

  /** It happened before somebody's eyes. */
  watched(id: string): void {
    this.forget(id);
    this.#say('watched', id, this.#tab);
  }

  /** Somebody looks at it now; what has happened before needs no telling. */
  seen(id: string): void {
    this.forget(id);
    this.#say('seen', id, this.#tab);
  }

  /** It is of no interest any more. */
  forget(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  close(): void {
    for (const id of this.#timers.keys()) this.forget(id);
    this.#channel?.close();
  }

  #say(word: Said['word'], id: string, from: string): void {
    const said: Said = { word, id, from };
    this.#channel?.postMessage(said);
  }

  #recent(): readonly Said[] {
    const since = Date.now() - RECENT_MS;
    this.#heard = this.#heard.filter(({ at }) => at >= since);
    return this.#heard;
  }
}

/** Browsers let no page play a sound that nobody has clicked. */
function isAudible(): boolean {
  return !('userActivation' in navigator) || navigator.userActivation.hasBeenActive;
}

/** Reads what came from another tab, perhaps one of another version; `null` for anything else. */
function parseSaid(data: unknown): Said | null {
  if (typeof data !== 'object' || data === null || !('word' in data && 'id' in data && 'from' in data))
    return null;
  const { id, from } = data;
  const word = WORDS.find((each) => each === data.word);
  if (word === undefined || typeof id !== 'string' || typeof from !== 'string') return null;
  return { word, id, from };
}
