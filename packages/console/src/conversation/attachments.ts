import { signal, type ReadonlySignal } from '@preact/signals';
import type { Session } from '@agentapi-proxy/client';
import type { AttachedFile } from './kept-text.ts';

/** A file on its way to the agent. */
export interface Attachment {
  readonly id: number;
  readonly name: string;
  readonly state:
    | { readonly kind: 'uploading'; readonly share: number }
    | { readonly kind: 'done'; readonly path: string }
    | { readonly kind: 'failed'; readonly error: unknown };
}

/** Makes a handle of the session whose uploads tell how far they are. */
export type UploadSession = (onProgress: (share: number) => void) => Session;

/** Files that go with the next message. Each is uploaded at once, so that sending does not have to wait. */
export class Attachments {
  readonly #session: UploadSession;
  readonly #list = signal<readonly Attachment[]>([]);
  readonly #files = new Map<number, { readonly file: File; readonly stop: AbortController }>();
  #last = 0;

  readonly list: ReadonlySignal<readonly Attachment[]> = this.#list;

  constructor(session: UploadSession, known: readonly AttachedFile[]) {
    this.#session = session;
    this.#list.value = known.map(({ name, path }) => ({
      id: ++this.#last,
      name,
      state: { kind: 'done', path },
    }));
  }

  /** Those that are there. */
  get done(): readonly AttachedFile[] {
    return this.#list.value.flatMap(({ name, state }) =>
      state.kind === 'done' ? [{ name, path: state.path }] : [],
    );
  }

  get isUploading(): boolean {
    return this.#list.value.some(({ state }) => state.kind === 'uploading');
  }

  add(file: File, name: string): void {
    this.#last += 1;
    const id = this.#last;
    this.#files.set(id, { file, stop: new AbortController() });
    this.#list.value = [...this.#list.value, { id, name, state: { kind: 'uploading', share: 0 } }];
    void this.#upload(id, name);
  }

  retry(id: number): void {
    const name = this.#list.value.find((each) => each.id === id)?.name;
    if (name !== undefined && this.#files.has(id)) void this.#upload(id, name);
  }

  remove(id: number): void {
    this.#files.get(id)?.stop.abort();
    this.#files.delete(id);
    this.#list.value = this.#list.value.filter((each) => each.id !== id);
  }

  /** Those that are there have gone with a message. */
  clearDone(): void {
    this.#list.value = this.#list.value.filter(({ state }) => state.kind !== 'done');
  }

  close(): void {
    for (const { stop } of this.#files.values()) stop.abort();
  }

  async #upload(id: number, name: string): Promise<void> {
    const upload = this.#files.get(id);
    if (upload === undefined) return;
    const { file, stop } = upload;
    this.#set(id, { kind: 'uploading', share: 0 });
    const session = this.#session((share) => this.#set(id, { kind: 'uploading', share }));
    try {
      const { filePath } = await session.upload(name, file, { signal: stop.signal });
      this.#set(id, { kind: 'done', path: filePath });
    } catch (error) {
      if (!stop.signal.aborted) this.#set(id, { kind: 'failed', error });
    }
  }

  #set(id: number, state: Attachment['state']): void {
    this.#list.value = this.#list.value.map((each) => (each.id === id ? { ...each, state } : each));
  }
}

/** A size for people. */
export function sizeText(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  if (mebibytes >= 1) return `${Number(mebibytes.toFixed(1))} MB`;
  return `${Math.max(1, Math.round(bytes / 2 ** 10))} kB`;
}

/** A message with the places of its files below it, in a form that every agent understands. */
export function withFiles(text: string, files: readonly AttachedFile[], heading: string): string {
  if (files.length === 0) return text;
  const list = [heading, ...files.map(({ path }) => `- ${path}`)].join('\n');
  return text.trim() === '' ? list : `${text.trimEnd()}\n\n${list}`;
}
