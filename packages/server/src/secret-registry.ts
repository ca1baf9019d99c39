/** Shorter values are ordinary words and numbers; masking them would only spoil the log. */
const SHORTEST_SECRET = 6;

/** A line of a longer text, such as a private key, is masked by itself from this length on. */
const SHORTEST_LINE = 16;

const MASK = '[secret]';

/**
 * Values that must not appear in any output, such as tokens and the environment of sessions (DF-04). A value
 * is found whole, in its JSON and URL encodings, and, when it has several lines, line by line. Finding takes
 * time in proportion to the text, not to the number of secrets.
 */
export class SecretRegistry {
  /** How often each form was added, by its first characters. */
  readonly #forms = new Map<string, Map<string, number>>();

  /** Masks `value` from now on, until the returned function is called; what was added twice is removed twice. */
  add(value: string): () => void {
    const forms = formsOf(value);
    for (const form of forms) {
      const start = form.slice(0, SHORTEST_SECRET);
      const same = this.#forms.get(start) ?? new Map<string, number>();
      this.#forms.set(start, same.set(form, (same.get(form) ?? 0) + 1));
    }
    let added = true;
    return () => {
      if (!added) return;
      added = false;
      for (const form of forms) this.#remove(form);
    };
  }

  #remove(form: string): void {
    const start = form.slice(0, SHORTEST_SECRET);
    const same = this.#forms.get(start);
    const count = same?.get(form) ?? 0;
    if (count > 1) same?.set(form, count - 1);
    else same?.delete(form);
    if (same?.size === 0) this.#forms.delete(start);
  }

  /** The text with every secret in it replaced; the same string when there is none. */
  mask(text: string): string {
    if (this.#forms.size === 0) return text;
    let masked = '';
    let kept = 0;
    for (let at = 0; at + SHORTEST_SECRET <= text.length;) {
      const length = this.#longestAt(text, at);
      if (length === 0) {
        at += 1;
        continue;
      }
      masked += text.slice(kept, at) + MASK;
      at += length;
      kept = at;
    }
    return kept === 0 ? text : masked + text.slice(kept);
  }

  #longestAt(text: string, at: number): number {
    const candidates = this.#forms.get(text.slice(at, at + SHORTEST_SECRET));
    let longest = 0;
    for (const form of candidates?.keys() ?? []) {
      if (form.length > longest && text.startsWith(form, at)) longest = form.length;
    }
    return longest;
  }

  /**
   * A log line (one JSON object) with every secret masked inside its strings. Numbers stay, and so does the
   * shape, so that the line remains valid JSON whatever the secrets look like.
   */
  maskLine(line: string): string {
    if (this.mask(line) === line) return line;
    const parsed: unknown = JSON.parse(line);
    return `${JSON.stringify(this.#maskValue(parsed, 0))}\n`;
  }

  #maskValue(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.mask(value);
    if (Array.isArray(value)) return value.map((item) => this.#maskValue(item, depth + 1));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        // The names of a line's own members are ours; those further down may come from callers.
        depth === 0 ? name : this.mask(name),
        this.#maskValue(part, depth + 1),
      ]),
    );
  }
}

function formsOf(value: string): ReadonlySet<string> {
  const lines = value.split(/\r?\n/);
  const texts = lines.length > 1 ? [value, ...lines.filter((line) => line.length >= SHORTEST_LINE)] : [value];
  const forms = texts.flatMap((text) => {
    const json = inJson(text);
    // A JSON document inside a string of the log line is escaped twice.
    return [text, json, inJson(json), inUrl(text)];
  });
  return new Set(forms.filter((form) => form.length >= SHORTEST_SECRET));
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function inUrl(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // Half a surrogate pair has no URL encoding.
    return text;
  }
}
