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
}

/** As many as a page asks the server for. */
const MAX_DISMISSED = 500;

const PREFIX = 'agentapi-proxy.conversation.';

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

  outgoing(sessionId: string): readonly OutgoingMessage[] {
    const value = this.#read(sessionId, 'outgoing');
    return Array.isArray(value) ? value.filter(isOutgoing) : [];
  }

  saveOutgoing(sessionId: string, messages: readonly OutgoingMessage[]): void {
    this.#write(sessionId, 'outgoing', messages.length === 0 ? null : messages);
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
  return isObject(value) && typeof value['key'] === 'string' && typeof value['content'] === 'string';
}
