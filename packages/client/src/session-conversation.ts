import {
  conversationPageSchema,
  queuedMessageSchema,
  queuePageSchema,
  waitResultSchema,
  type ConversationMessage,
  type ConversationPage,
  type QueuedMessage,
  type QueuePage,
  type QueueState,
  type WaitResult,
} from './conversation-schemas.ts';
import { followJournal, type JournalEvent, type JournalOptions } from './journal.ts';
import { allPages, queryOf } from './paging.ts';
import { pathSegment } from './path-segment.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Options of lists that come page by page. */
export interface PageOptions extends CallOptions {
  /** Rows of one page. */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** Options of {@link SessionConversation.messages}. */
export interface MessagePageOptions extends PageOptions {
  /** `newest`: the first page is the end of the conversation, and the next one is before it. */
  readonly order?: 'oldest' | 'newest' | undefined;
}

/** Options of {@link SessionConversation.queue}. */
export interface QueueOptions extends CallOptions {
  /** A name for this request: a second one with it adds nothing, and gets the same message. */
  readonly idempotencyKey?: string | undefined;
}

/** Options of {@link SessionConversation.wait}. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only what comes behind this event counts. */
  readonly after?: number | undefined;
  /** Seconds that the server waits (30). */
  readonly timeoutSeconds?: number | undefined;
}

const WAIT_SECONDS = 30;
/** What an answer may take besides the wait itself. */
const WAY_MS = 15_000;

/** What was said in a session, also after its end, and messages that wait for its agent. */
export class SessionConversation {
  readonly #transport: Transport;
  readonly #session: string;

  /**
   * @internal
   * @param session - path of the session's record
   */
  constructor(transport: Transport, session: string) {
    this.#transport = transport;
    this.#session = session;
  }

  /** A page of what was said, oldest first. */
  messages({ order, limit, cursor, ...options }: MessagePageOptions = {}): Promise<ConversationPage> {
    const query = queryOf({ order, limit, cursor });
    const call = { ...options, method: 'GET', path: `${this.#session}/messages`, query } as const;
    return this.#transport.json(call, conversationPageSchema);
  }

  /** Everything that was said, page by page as it is consumed. Limits apply to each page. */
  allMessages(options: PageOptions = {}): AsyncGenerator<ConversationMessage, void, undefined> {
    return allPages(
      `GET ${this.#session}/messages`,
      options.cursor,
      (cursor) => this.messages({ ...options, cursor }),
      (page) => page.messages,
    );
  }

  /**
   * Leaves a message for the agent, whatever it does; it is delivered once, when the agent waits for input.
   *
   * @throws ApiError of kind `conflict` when the session has ended
   */
  queue(content: string, { idempotencyKey, ...options }: QueueOptions = {}): Promise<QueuedMessage> {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    const path = `${this.#session}/messages`;
    const call = { ...options, method: 'POST', path, headers, json: { content } } as const;
    return this.#transport.json(call, queuedMessageSchema);
  }

  /** A page of the messages that wait or did, in the order of their delivery. */
  queued({
    limit,
    cursor,
    state,
    ...options
  }: PageOptions & { readonly state?: QueueState | undefined } = {}): Promise<QueuePage> {
    const query = queryOf({ limit, cursor, state });
    const call = { ...options, method: 'GET', path: `${this.#session}/queue`, query } as const;
    return this.#transport.json(call, queuePageSchema);
  }

  /** What has become of a message. */
  queuedMessage(id: string, options: CallOptions = {}): Promise<QueuedMessage> {
    return this.#onQueued('GET', id, options);
  }

  /**
   * Changes a message that waits.
   *
   * @throws ApiError of kind `conflict` when it does not wait any more
   */
  edit(id: string, content: string, options: CallOptions = {}): Promise<QueuedMessage> {
    return this.#onQueued('PATCH', id, { ...options, json: { content } });
  }

  /**
   * Takes a message back that waits.
   *
   * @throws ApiError of kind `conflict` when it does not wait any more
   */
  cancel(id: string, options: CallOptions = {}): Promise<QueuedMessage> {
    return this.#onQueued('DELETE', id, options);
  }

  /** Resolves when the agent is at rest (`stable`), says something (`message`), or when the time is over. */
  wait(what: 'stable' | 'message', options: WaitOptions = {}): Promise<WaitResult> {
    const { signal, after, timeoutSeconds = WAIT_SECONDS } = options;
    const query = queryOf({ for: what, after, timeout: timeoutSeconds });
    const timeoutMs = timeoutSeconds * 1_000 + WAY_MS;
    const call = { method: 'GET', path: `${this.#session}/wait`, query, signal, timeoutMs } as const;
    return this.#transport.json(call, waitResultSchema);
  }

  /**
   * Everything that happened and happens in the session, from any event on; connections that break are replaced, and
   * nothing is missed or comes twice. Ends with the session.
   */
  events(options: JournalOptions = {}): AsyncGenerator<JournalEvent, void, undefined> {
    return followJournal(this.#transport, `${this.#session}/events`, options);
  }

  #onQueued(
    method: 'GET' | 'PATCH' | 'DELETE',
    id: string,
    options: CallOptions & { readonly json?: unknown },
  ): Promise<QueuedMessage> {
    const path = `${this.#session}/queue/${pathSegment('message', id)}`;
    return this.#transport.json({ ...options, method, path }, queuedMessageSchema);
  }
}
