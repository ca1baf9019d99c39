import type { FoundMessage } from '../store/messages.ts';
import type { Store } from '../store/store.ts';
import { hasPhrases, parseWordQuery, placeOfMatch } from '../store/words.ts';

/** Text before and behind the first word of a match. */
const SNIPPET_CHARS = { before: 80, after: 160 } as const;
/** Messages that one request looks into, at most: phrases are looked for in the messages themselves. */
const MAX_LOOKED_INTO = 500;
/** Messages read at a time. */
const PAGE = 50;

/** A message with what was searched for. */
export interface MessageMatch extends FoundMessage {
  readonly snippet: string;
}

/** A page of matches, newest first. */
export interface MatchPage {
  readonly matches: readonly MessageMatch[];
  /** Where the next page begins; `null` on the last one. */
  readonly next: number | null;
}

/** Looks through what was said. */
export class MessageSearch {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Messages in the sessions of a user with all the words of `text`.
   * @param before - `next` of the page before; `null` = from the newest on.
   * @throws StoreError
   */
  async find(ownerId: string, text: string, before: number | null, limit: number): Promise<MatchPage> {
    const query = parseWordQuery(text);
    const matches: MessageMatch[] = [];
    let from = before;
    for (let seen = 0; seen < MAX_LOOKED_INTO; seen += PAGE) {
      const page = await this.#store.messages.find(ownerId, query.words, from, PAGE);
      for (const message of page) {
        from = message.number;
        if (hasPhrases(message.content, query)) {
          const snippet = snippetOf(message.content, placeOfMatch(message.content, query));
          matches.push({ ...message, snippet });
        }
        if (matches.length === limit) return { matches, next: from };
      }
      if (page.length < PAGE) return { matches, next: null };
    }
    return { matches, next: from };
  }
}

function snippetOf(text: string, place: number): string {
  const from = Math.max(0, place - SNIPPET_CHARS.before);
  const to = Math.min(text.length, place + SNIPPET_CHARS.after);
  // Half of a pair of surrogates is no text.
  const part = text.slice(from, to).replaceAll(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
  return `${from > 0 ? '…' : ''}${part}${to < text.length ? '…' : ''}`;
}
