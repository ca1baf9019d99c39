import type { TextStorage } from './browser-storage.ts';

/** A file that the agent has already. */
export interface AttachedFile {
  readonly name: string;
  /** Where the agent finds it. */
  readonly path: string;
}

/** What somebody has written and not sent. */
export interface Draft {
  readonly text: string;
  readonly files: readonly AttachedFile[];
}

/** A message that has been sent but is not known to have arrived. */
export interface OutgoingMessage {
  /** Names the request, so that sending it again adds nothing. */
  readonly key: string;
  readonly content: string;
  /** Gives the order, whichever tab it was written in; in milliseconds since 1970. */
  readonly at: number;
}

/** As many as a page asks the server for. */
const MAX_DISMISSED = 500;

const PREFIX = 'agentapi-proxy.conversation.';
const OUTGOING = 'outgoing.';

/** What a person has written in the conversations of a browser: nothing of it gets lost with the page. */
export class KeptText {
  readonly #storage: TextStorage;

  constructor(storage: TextStorage) {
    this.#storage = storage;
  }

  draft(sessionId: string): Draft {
    const value = this.#read(sessionId, 'draft');
    const { text, files } = isObject(value) ? value : {};
    return {
      text: typeof text === 'string' ? text : '',
      files: Array.isArray(files) ? files.filter(isAttachedFile) : [],
    };
  }

  saveDraft(sessionId: string, draft: Draft): void {
    const isEmpty = draft.text === '' && draft.files.length === 0;
    this.#write(sessionId, 'draft', isEmpty ? null : draft);
  }

  /** Of all tabs, in their order. */
  outgoing(sessionId: string): readonly OutgoingMessage[] {
    const prefix = `${PREFIX}${sessionId}.${OUTGOING}`;
    return this.#storage
      .keys()
      .filter((key) => key.startsWith(prefix))
      .map((key) => this.#read(sessionId, key.slice(prefix.length - OUTGOING.length)))
      .filter(isOutgoing)
      .toSorted((a, b) => a.at - b.at);
  }

  /** Whether a message is still on its way, as far as any tab knows. */
  isOutgoing(sessionId: string, key: string): boolean {
    return isOutgoing(this.#read(sessionId, OUTGOING + key));
  }

  /** Each has a place of its own, so that tabs on one session do not overwrite each other's. */
  addOutgoing(sessionId: string, message: OutgoingMessage): void {
    this.#write(sessionId, OUTGOING + message.key, message);
  }

  removeOutgoing(sessionId: string, key: string): void {
    this.#write(sessionId, OUTGOING + key, null);
  }

  /** Failed messages that have been put away, by their ids. */
  dismissed(sessionId: string): ReadonlySet<string> {
    const value = this.#read(sessionId, 'dismissed');
    return new Set(Array.isArray(value) ? value.filter((id) => typeof id === 'string') : []);
  }

  saveDismissed(sessionId: string, id: string): void {
    const ids = [...this.dismissed(sessionId)].filter((each) => each !== id);
    this.#write(sessionId, 'dismissed', [...ids, id].slice(-MAX_DISMISSED));
  }

  /** For those who sign out: the next one at this browser reads nothing of it. */
  forgetAll(): void {
    for (const key of this.#storage.keys()) {
      if (key.startsWith(PREFIX)) this.#storage.write(key, null);
    }
  }

  #read(sessionId: string, what: string): unknown {
    try {
      return JSON.parse(this.#storage.read(`${PREFIX}${sessionId}.${what}`) ?? 'null');
    } catch {
      return null;
    }
  }

  #write(sessionId: string, what: string, value: unknown): void {
    this.#storage.write(`${PREFIX}${sessionId}.${what}`, value === null ? null : JSON.stringify(value));
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isAttachedFile(value: unknown): value is AttachedFile {
  return isObject(value) && typeof value['name'] === 'string' && typeof value['path'] === 'string';
}

function isOutgoing(value: unknown): value is OutgoingMessage {
  if (!isObject(value)) return false;
  const { key, content, at } = value;
  return typeof key === 'string' && typeof content === 'string' && typeof at === 'number';
}
