import { createLogUpdate } from 'log-update';
import type { Colors } from 'picocolors/types.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_INTERVAL_MS = 100;

/**
 * What is shown on a terminal while a command waits: a spinner with a label, and above it a text that may change as a
 * whole. It is redrawn in place and removed in the end. On anything but a terminal nothing is shown.
 */
export class LiveView implements Disposable {
  readonly #render: ReturnType<typeof createLogUpdate> | null;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #paint: Colors;
  #label: string;
  #text = '';
  #frame = 0;
  #isClosed = false;

  constructor(options: {
    readonly stream: NodeJS.WriteStream;
    readonly isShown: boolean;
    readonly paint: Colors;
    readonly label: string;
  }) {
    this.#label = options.label;
    this.#paint = options.paint;
    this.#render = options.isShown ? createLogUpdate(options.stream) : null;
    if (this.#render === null) return;
    this.#draw();
    this.#timer = setInterval(() => {
      this.#frame += 1;
      this.#draw();
    }, FRAME_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Whether anybody sees it. */
  get isShown(): boolean {
    return this.#render !== null && !this.#isClosed;
  }

  /** Changes what is waited for; shown with the next text or step of the spinner. */
  label(label: string): void {
    this.#label = label;
  }

  /** Changes the text above the spinner. */
  show(text: string): void {
    this.#text = text;
    this.#draw();
  }

  /** Removes it from the terminal; later changes are not shown. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#render?.clear();
    this.#render?.done();
  }

  #draw(): void {
    if (this.#isClosed) return;
    const frame = this.#paint.cyan(FRAMES[this.#frame % FRAMES.length] ?? '');
    const text = this.#text === '' ? '' : `${this.#text}\n\n`;
    this.#render?.(`${text}${frame} ${this.#paint.dim(this.#label)}`);
  }
}
