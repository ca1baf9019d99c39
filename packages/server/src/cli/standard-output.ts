import { EXIT } from './cli-context.ts';

/** Whether standard output failed because nobody reads it any more, as after `| head -1`. */
export function isReaderGone(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}

/** The sentence for an answer that standard output did not take, as on a full disk. */
export function unwrittenAnswer(error: Error): string {
  return `the answer cannot be written: ${error.message}`;
}

/** Knows whether standard output takes what is written to it. */
export class StandardOutput {
  readonly #stream: NodeJS.WriteStream;
  #failure: Error | null = null;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    // Stays for the rest of the process: an error that nobody listens to ends it with a stack trace.
    stream.on('error', (error: Error) => {
      this.#failure ??= error;
    });
  }

  /**
   * The exit code of a command that ends with `code`: done is only who got rid of the answer. 141 when its reader has
   * gone, as a shell reports SIGPIPE; 1 and a line to `complain` when it cannot be written.
   */
  async exitCodeOf(code: number, complain: (line: string) => void): Promise<number> {
    if (code !== EXIT.ok) return code;
    const failure = await this.#firstFailure();
    if (failure === null) return code;
    if (isReaderGone(failure)) return EXIT.outputClosed;
    complain(`Error: ${unwrittenAnswer(failure)}`);
    return EXIT.failed;
  }

  /** Resolves when everything written so far has been taken or refused. */
  async #firstFailure(): Promise<Error | null> {
    await new Promise<void>((resolve) => {
      // A refusal is told some steps after the write itself.
      this.#stream.write('', () => setImmediate(resolve));
    });
    return this.#failure;
  }
}
