/** How far a long command of git is. */
export interface GitProgress {
  /** Percent of the phase, 0 to 100. */
  readonly percent: number;
  /** Git's own words, such as `Receiving objects: 42% (84/200), 10.00 MiB | 5.00 MiB/s`. */
  readonly detail: string;
}

const PROGRESS = /^(?:remote: )?([A-Z][a-z]+(?: [a-z]+)*): +(\d{1,3})% \(\d+\/\d+\)/;

/** Reads one line of git's standard error; `null` when it reports no progress. */
export function parseProgress(line: string): GitProgress | null {
  const match = PROGRESS.exec(line);
  if (match === null) return null;
  const detail = line
    .replace(/^remote: /, '')
    .replace(/ +/g, ' ')
    .trim();
  return { percent: Math.min(100, Number(match[2])), detail };
}

/** Cuts what arrives from a stream into lines; git ends those it overwrites with a carriage return. */
export class LineCutter {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split(/[\r\n]+/);
    // What never ends is no line: a hostile server must not fill the memory.
    this.#rest = (lines.pop() ?? '').slice(0, LineCutter.MAX_CHARS);
    for (const line of lines) if (line.trim() !== '') this.#onLine(line.slice(0, LineCutter.MAX_CHARS));
  }

  end(): void {
    if (this.#rest.trim() !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }

  static readonly MAX_CHARS = 2000;
}
