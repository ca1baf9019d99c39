import { answer } from './commands.ts';
import type { AnswerContext } from './commands.ts';
import { KeyParser } from './keys.ts';
import type { Key, NamedKey } from './keys.ts';
import { layoutDialog, layoutInputBox, row } from './layout.ts';
import type { Block, Dialog, Row } from './layout.ts';
import { LineEditor } from './line-editor.ts';
import { Painter } from './painter.ts';
import type { ShellCommandOptions } from './shell-command.ts';
import { fit, plainText } from './text-width.ts';
import { Transcript } from './transcript.ts';

export interface DemoAgentOptions {
  readonly write: (text: string) => void;
  readonly columns: number;
  readonly rows: number;
  readonly shell: ShellCommandOptions;
  /** Called once when the user ends the program; what runs must then be ended with `close`. */
  readonly onExit: (code: number) => void;
}

/** An Escape key that is followed by nothing for this long is no escape sequence. */
const ESCAPE_WAIT_MS = 50;
const SPINNER_INTERVAL_MS = 100;
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const HINT = '/help for commands · Ctrl+D to leave';

/** A question on the screen and the answer that waits for it. */
interface OpenQuestion {
  readonly dialog: Dialog;
  readonly settle: (choice: number | null) => void;
}

/** An answer under way. */
interface Work {
  readonly abort: AbortController;
  readonly startedAt: number;
}

/**
 * A small interactive agent: an input box at the bottom of the conversation, a working indicator right
 * above it, dialogs in its place. Needs a terminal, but no network and no other program.
 */
export class DemoAgent implements AsyncDisposable {
  readonly #options: DemoAgentOptions;
  readonly #painter: Painter;
  readonly #transcript: Transcript;
  readonly #keys = new KeyParser();
  readonly #editor = new LineEditor();
  readonly #queue: string[] = [];
  #question: OpenQuestion | null = null;
  #work: Work | null = null;
  /** Settles with the answer that was begun last; never rejects. */
  #answered: Promise<void> = Promise.resolve();
  #turns = 0;
  #escapeTimer: NodeJS.Timeout | undefined;
  #spinnerTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: DemoAgentOptions) {
    this.#options = options;
    this.#painter = new Painter(options.write, options.columns, options.rows);
    this.#transcript = new Transcript(options.columns);
  }

  /** Shows the greeting and the input box. */
  start(): void {
    this.#transcript.addText('agentapi-proxy demo agent', 'bold');
    this.#transcript.addText('Write a message, and I repeat it; or a command, such as /help.');
    this.#transcript.addText('');
    this.#paint();
  }

  /** Takes what the terminal sent. */
  handleInput(text: string): void {
    if (this.#isClosed) return;
    clearTimeout(this.#escapeTimer);
    for (const key of this.#keys.feed(text)) this.#handleKey(key);
    if (this.#keys.isWaiting) {
      this.#escapeTimer = setTimeout(() => {
        for (const key of this.#keys.flush()) this.#handleKey(key);
        this.#paint();
      }, ESCAPE_WAIT_MS);
    }
    this.#paint();
  }

  resize(columns: number, rows: number): void {
    this.#painter.resize(columns, rows);
    this.#transcript.resize(this.#painter.columns);
    this.#paint();
  }

  /** Interrupts what runs, waits until it has ended, and restores the terminal. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    clearTimeout(this.#escapeTimer);
    clearInterval(this.#spinnerTimer);
    this.#queue.length = 0;
    this.#interrupt();
    this.#work = null;
    this.#paint();
    this.#isClosed = true;
    this.#painter.restore();
    await this.#answered;
  }

  #handleKey(key: Key): void {
    if (this.#isClosed) return;
    if (this.#question !== null && this.#answerQuestion(this.#question, key)) return;
    switch (key.kind) {
      case 'text':
      case 'paste':
        this.#editor.insert(plainText(key.text));
        break;
      case 'key':
        this.#press(key.name);
        break;
    }
  }

  #press(name: NamedKey): void {
    if (this.#editor.press(name)) return;
    switch (name) {
      case 'enter':
        this.#submit();
        break;
      case 'escape':
      case 'interrupt':
        if (this.#work !== null) this.#interrupt();
        else this.#editor.clear();
        break;
      case 'end-of-input':
        if (this.#editor.isEmpty) this.#options.onExit(0);
        break;
      case 'redraw':
        this.#painter.invalidate();
        break;
      default:
        break;
    }
  }

  /** @returns whether the key was meant for the question. */
  #answerQuestion(question: OpenQuestion, key: Key): boolean {
    const { dialog, settle } = question;
    if (key.kind === 'paste') {
      // As with other agents: a message that arrives now takes the question away.
      settle(null);
      return false;
    }
    if (key.kind === 'text') {
      const choice = Number(key.text) - 1;
      if (dialog.choices[choice] !== undefined) settle(choice);
      return true;
    }
    const move = (by: number): void => {
      const selected = (dialog.selected + by + dialog.choices.length) % dialog.choices.length;
      this.#question = { dialog: { ...dialog, selected }, settle };
    };
    if (key.name === 'up') move(-1);
    else if (key.name === 'down') move(1);
    else if (key.name === 'enter') settle(dialog.selected);
    else if (key.name === 'escape' || key.name === 'interrupt') settle(null);
    else if (key.name === 'redraw') this.#painter.invalidate();
    return true;
  }

  #submit(): void {
    const message = this.#editor.text.trim();
    this.#editor.clear();
    if (message === '') return;
    if (this.#work === null) this.#begin(message);
    else this.#queue.push(message);
  }

  #begin(message: string): void {
    this.#turns += 1;
    this.#transcript.addEcho(message, this.#turns);
    this.#transcript.addText('');
    const abort = new AbortController();
    this.#work = { abort, startedAt: performance.now() };
    this.#spinnerTimer = setInterval(() => this.#paint(), SPINNER_INTERVAL_MS);
    this.#answered = this.#answer(message, abort.signal).finally(() => this.#finish());
  }

  async #answer(message: string, signal: AbortSignal): Promise<void> {
    const context: AnswerContext = {
      show: (line) => {
        this.#transcript.addText(line);
        this.#paint();
      },
      ask: (title, question, choices) => this.#ask({ title, question, choices, selected: 0 }),
      exit: (code) => this.#options.onExit(code),
      shell: this.#options.shell,
      signal,
    };
    try {
      await answer(message, context);
    } catch (error) {
      if (signal.aborted) this.#transcript.addText('Interrupted.');
      else
        this.#transcript.addText(
          `Something went wrong: ${error instanceof Error ? error.message : String(error)}`,
        );
    }
  }

  #finish(): void {
    clearInterval(this.#spinnerTimer);
    this.#work = null;
    this.#transcript.addText('');
    const next = this.#queue.shift();
    if (next !== undefined) this.#begin(next);
    this.#paint();
  }

  #ask(dialog: Dialog): Promise<number | null> {
    return new Promise<number | null>((resolve) => {
      const settle = (choice: number | null): void => {
        this.#question = null;
        resolve(choice);
      };
      this.#question = { dialog, settle };
      this.#paint();
    });
  }

  #interrupt(): void {
    this.#question?.settle(null);
    this.#work?.abort.abort();
  }

  #paint(): void {
    if (this.#isClosed) return;
    const above = this.#transcript.rows;
    const block = this.#bottom();
    this.#painter.paint({
      rows: [...above, ...block.rows],
      forgotten: this.#transcript.forgotten,
      cursor: { row: above.length + block.cursor.row, column: block.cursor.column },
    });
  }

  #bottom(): Block {
    const { columns } = this.#painter;
    if (this.#question !== null) return layoutDialog(this.#question.dialog, columns);
    const box = layoutInputBox(this.#editor.text, this.#editor.cursor, HINT, columns);
    if (this.#work === null) return box;
    return {
      rows: [this.#spinner(this.#work), ...box.rows],
      cursor: { ...box.cursor, row: box.cursor.row + 1 },
    };
  }

  #spinner(work: Work): Row {
    const elapsedMs = performance.now() - work.startedAt;
    const sign = SPINNER[Math.floor(elapsedMs / SPINNER_INTERVAL_MS) % SPINNER.length] ?? '';
    const waiting = this.#queue.length === 0 ? '' : ` · ${this.#queue.length} waiting`;
    const text = `${sign} Working… (${Math.floor(elapsedMs / 1000)}s · esc to interrupt${waiting})`;
    return row(fit(text, this.#painter.columns));
  }
}
