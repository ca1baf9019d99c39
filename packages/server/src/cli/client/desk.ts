import picocolors from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { read } from 'read';
import type { ProcessStreams } from '../cli-context.ts';
import { onOneLine, tableOf } from '../table.ts';
import { CLIENT_EXIT, CommandFailure, UsageError } from './exit-codes.ts';
import { LiveView } from './live-view.ts';

/** How a command talks to its user. */
export interface DeskOptions {
  readonly streams: ProcessStreams;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Answers with JSON. */
  readonly json: boolean;
  /** False: no colours, whatever the terminal can. */
  readonly color: boolean;
}

/** Longest text that is read from standard input; servers take less. */
const MAX_INPUT_BYTES = 16 * 1024 ** 2;

/** Where a client command puts its answer (standard output) and everything else (standard error). */
export class Desk {
  readonly json: boolean;
  /** Colours of standard output. */
  readonly paint: Colors;
  readonly #notePaint: Colors;
  readonly #streams: ProcessStreams;
  readonly #isDumb: boolean;

  constructor({ streams, environment, json, color }: DeskOptions) {
    this.json = json;
    this.#streams = streams;
    this.#isDumb = environment['TERM'] === 'dumb';
    const colours = (stream: NodeJS.WriteStream): Colors => {
      const { NO_COLOR: never = '', FORCE_COLOR: always = '' } = environment;
      const forced = always !== '' && always !== '0';
      const isWanted = color && never === '' && (forced || (stream.isTTY && !this.#isDumb));
      return picocolors.createColors(isWanted);
    };
    this.paint = colours(streams.stdout);
    this.#notePaint = colours(streams.stderr);
  }

  /** Whether a person reads standard output. */
  get isTerminal(): boolean {
    return this.#streams.stdout.isTTY;
  }

  /** Lines of the answer. */
  print(...lines: readonly string[]): void {
    this.#streams.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** The answer as one JSON document, or with `lines` in its place when people read it. */
  answer(value: unknown, lines: () => readonly string[]): void {
    if (this.json) this.print(JSON.stringify(value, null, 2));
    else this.print(...lines());
  }

  /** One JSON document of a stream, on a line of its own. */
  record(value: unknown): void {
    this.print(JSON.stringify(value));
  }

  /** Rows as a table; on a terminal it is cut to fit. The first row are the titles. */
  table(
    rows: readonly (readonly string[])[],
    style: (text: string, row: number, column: number) => string = (text) => text,
  ): readonly string[] {
    return tableOf(rows, {
      columns: this.isTerminal ? this.#streams.stdout.columns || undefined : undefined,
      style: (text, row, column) => (row === 0 ? this.paint.bold(text) : style(text, row, column)),
    });
  }

  /** Tells something that is not the answer. */
  note(...lines: readonly string[]): void {
    this.#streams.stderr.write(lines.map((line) => `${this.#notePaint.dim(line)}\n`).join(''));
  }

  /** Tells of a failure; the first line is the failure itself. */
  complain(first: string, ...more: readonly string[]): void {
    const lines = [this.#notePaint.red(onOneLine(first)), ...more.map(printable)];
    this.#streams.stderr.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Shows on a terminal that the command waits, until disposed. */
  wait(label: string): LiveView {
    const { stderr } = this.#streams;
    return new LiveView({
      stream: stderr,
      isShown: stderr.isTTY && !this.#isDumb,
      paint: this.#notePaint,
      label,
    });
  }

  /** Whether somebody can be asked something. */
  get canAsk(): boolean {
    return this.#streams.stdin.isTTY;
  }

  /** Asks for one line; `silent` does not show what is typed. */
  async ask(prompt: string, options: { readonly silent?: boolean } = {}): Promise<string> {
    try {
      const { stdin: input, stderr: output } = this.#streams;
      return await read({ prompt, silent: options.silent === true, input, output });
    } catch {
      // The cursor still stands behind the question.
      this.#streams.stderr.write('\n');
      throw new CommandFailure(CLIENT_EXIT.interrupted, 'cancelled');
    }
  }

  /** Standard input to its end, without the line feeds there. */
  async readInput(signal: AbortSignal): Promise<string> {
    const { stdin } = this.#streams;
    const parts: Buffer[] = [];
    let size = 0;
    const onAbort = (): void => void stdin.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const chunks: AsyncIterable<Buffer> = stdin;
      for await (const chunk of chunks) {
        parts.push(chunk);
        size += chunk.length;
        if (size > MAX_INPUT_BYTES) throw new UsageError('standard input is longer than 16 MiB');
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return Buffer.concat(parts)
      .toString('utf8')
      .replace(/[\r\n]+$/, '');
  }

  /** The streams themselves, for what takes the terminal over. */
  get streams(): ProcessStreams {
    return this.#streams;
  }
}

/**
 * Text of an agent without what could move the cursor, change colours or the title of a terminal, and without the
 * blanks with which screens fill their rows.
 */
export function printable(text: string): string {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
    .replaceAll(/[ \t]+$/gm, '');
}
