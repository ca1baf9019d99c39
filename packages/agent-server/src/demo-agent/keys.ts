/** Keys without a text of their own. */
export type NamedKey =
  | 'enter'
  | 'newline'
  | 'backspace'
  | 'delete'
  | 'delete-word'
  | 'delete-to-start'
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'home'
  | 'end'
  | 'escape'
  | 'interrupt'
  | 'end-of-input'
  | 'redraw';

/** What the user did: typed characters, pasted a text, or pressed a key. */
export type Key =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'key'; readonly name: NamedKey };

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
/** A longer paste is cut: it would not be a message. */
const MAX_PASTE_CHARS = 4 * 1024 * 1024;

const CONTROL_KEYS: Readonly<Record<string, NamedKey>> = {
  '\x01': 'home',
  '\x03': 'interrupt',
  '\x04': 'end-of-input',
  '\x05': 'end',
  '\x08': 'backspace',
  '\n': 'newline',
  '\x0c': 'redraw',
  '\r': 'enter',
  '\x15': 'delete-to-start',
  '\x17': 'delete-word',
  '\x7f': 'backspace',
};

const SEQUENCE_KEYS: Readonly<Record<string, NamedKey>> = {
  '\x1b[A': 'up',
  '\x1b[B': 'down',
  '\x1b[C': 'right',
  '\x1b[D': 'left',
  '\x1bOA': 'up',
  '\x1bOB': 'down',
  '\x1bOC': 'right',
  '\x1bOD': 'left',
  '\x1b[H': 'home',
  '\x1b[F': 'end',
  '\x1b[1~': 'home',
  '\x1b[3~': 'delete',
  '\x1b[4~': 'end',
  '\x1b\r': 'newline',
};

/** Turns what a terminal in raw mode sends into keys; sequences may arrive in pieces. */
export class KeyParser {
  #rest = '';
  /** Pieces of a paste that has begun; `null` outside of one. */
  #paste: string | null = null;

  /** Whether an escape sequence has begun that may also be a mere Escape key. */
  get isWaiting(): boolean {
    return this.#paste === null && this.#rest !== '';
  }

  feed(input: string): readonly Key[] {
    const keys: Key[] = [];
    this.#rest += input;
    while (this.#rest !== '') {
      const isDone = this.#paste === null ? this.#takeKey(keys) : this.#takePaste(keys);
      if (!isDone) break;
    }
    return keys;
  }

  /** Nothing followed in time: what waits was the Escape key, or a sequence that nobody knows. */
  flush(): readonly Key[] {
    if (!this.isWaiting) return [];
    const isEscape = this.#rest === '\x1b';
    this.#rest = '';
    return isEscape ? [{ kind: 'key', name: 'escape' }] : [];
  }

  #takePaste(keys: Key[]): boolean {
    const end = this.#rest.indexOf(PASTE_END);
    // The end mark may be cut in two: its possible beginning waits for the rest.
    const length = end === -1 ? this.#rest.length - (PASTE_END.length - 1) : end;
    const paste = this.#paste ?? '';
    if (length > 0)
      this.#paste = paste + this.#rest.slice(0, Math.min(length, MAX_PASTE_CHARS - paste.length));
    if (end === -1) {
      if (length > 0) this.#rest = this.#rest.slice(length);
      return false;
    }
    this.#rest = this.#rest.slice(end + PASTE_END.length);
    keys.push({ kind: 'paste', text: (this.#paste ?? '').replaceAll(/\r\n?/g, '\n') });
    this.#paste = null;
    return true;
  }

  #takeKey(keys: Key[]): boolean {
    const rest = this.#rest;
    if (rest.startsWith(PASTE_START)) {
      this.#rest = rest.slice(PASTE_START.length);
      this.#paste = '';
      return true;
    }
    if (rest.startsWith('\x1b')) return this.#takeSequence(keys);
    const text = /^[^\x00-\x1f\x7f]+/.exec(rest)?.[0];
    if (text !== undefined) {
      keys.push({ kind: 'text', text });
      this.#rest = rest.slice(text.length);
      return true;
    }
    this.#rest = rest.slice(1);
    if (rest.startsWith('\t')) keys.push({ kind: 'text', text: '  ' });
    const name = CONTROL_KEYS[rest.slice(0, 1)];
    if (name !== undefined) keys.push({ kind: 'key', name });
    return true;
  }

  #takeSequence(keys: Key[]): boolean {
    const sequence = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~]|[^[O])/.exec(this.#rest)?.[0];
    if (sequence === undefined) {
      // Escape, then something that cannot continue it: two keys.
      if (!/^\x1b\[[0-?]*[ -/]*[^ -~]/.test(this.#rest)) return false;
      this.#rest = this.#rest.slice(1);
      return true;
    }
    // Escape pressed twice: the second may begin a sequence of its own.
    this.#rest = this.#rest.slice(sequence === '\x1b\x1b' ? 1 : sequence.length);
    const name = sequence === '\x1b\x1b' ? 'escape' : SEQUENCE_KEYS[sequence];
    if (name !== undefined) keys.push({ kind: 'key', name });
    return true;
  }
}
