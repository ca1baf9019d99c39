import type { NamedKey } from './keys.ts';

/** Text before the cursor that is looked at to find the start of the last visible character. */
const MAX_CHARACTER_LENGTH = 64;

/** A message being written, with its cursor; lines are separated by LF. */
export class LineEditor {
  #before = '';
  #after = '';
  readonly #characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

  get text(): string {
    return this.#before + this.#after;
  }

  /** Index of the cursor in `text`, in UTF-16 units. */
  get cursor(): number {
    return this.#before.length;
  }

  get isEmpty(): boolean {
    return this.text === '';
  }

  insert(text: string): void {
    this.#before += text;
  }

  clear(): void {
    this.#before = '';
    this.#after = '';
  }

  /** Applies an editing key. @returns whether it was one. */
  press(name: NamedKey): boolean {
    switch (name) {
      case 'newline':
        this.insert('\n');
        return true;
      case 'backspace':
        this.#before = this.#before.slice(0, -this.#lengthBefore());
        return true;
      case 'delete':
        this.#after = this.#after.slice(this.#lengthAfter());
        return true;
      case 'delete-word':
        this.#before = this.#before.replace(/\S+\s*$|\s+$/u, '');
        return true;
      case 'delete-to-start':
        this.#before = this.#before.slice(0, this.#lineStart());
        return true;
      case 'left':
        this.#moveTo(this.cursor - this.#lengthBefore());
        return true;
      case 'right':
        this.#moveTo(this.cursor + this.#lengthAfter());
        return true;
      case 'home':
        this.#moveTo(this.#lineStart());
        return true;
      case 'end': {
        const lineEnd = this.#after.indexOf('\n');
        this.#moveTo(lineEnd === -1 ? this.text.length : this.cursor + lineEnd);
        return true;
      }
      case 'enter':
      case 'up':
      case 'down':
      case 'escape':
      case 'interrupt':
      case 'end-of-input':
      case 'redraw':
        return false;
    }
  }

  #moveTo(cursor: number): void {
    const { text } = this;
    this.#before = text.slice(0, cursor);
    this.#after = text.slice(cursor);
  }

  #lineStart(): number {
    return this.#before.lastIndexOf('\n') + 1;
  }

  #lengthBefore(): number {
    const characters = [...this.#characters.segment(this.#before.slice(-MAX_CHARACTER_LENGTH))];
    return characters.at(-1)?.segment.length ?? 0;
  }

  #lengthAfter(): number {
    const [first] = this.#characters.segment(this.#after.slice(0, MAX_CHARACTER_LENGTH));
    return first?.segment.length ?? 0;
  }
}
