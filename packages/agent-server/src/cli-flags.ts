import { parseArgs } from 'node:util';

/** A command line that cannot be understood; the usage belongs beside the message. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One flag of a command line. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly kind: 'string' | 'int' | 'bool' | 'list';
  readonly help: string;
  /** Shown in the help; the value itself stands where the flag is read. */
  readonly shownDefault?: string;
  readonly hidden?: true;
  /** Set only by a supervisor or a test, hence never from the environment. */
  readonly noVariable?: true;
}

interface Given {
  /** What an error message calls the source, e.g. `"--port" flag`. */
  readonly source: string;
  readonly fromVariable: boolean;
  readonly texts: readonly string[];
}

/** What the flags and variables say; a reading fails with {@link UsageError} when the value is wrong. */
export class FlagValues {
  readonly #given: ReadonlyMap<string, Given>;

  constructor(given: ReadonlyMap<string, Given>) {
    this.#given = given;
  }

  /** `undefined` also when empty. */
  string(name: string): string | undefined {
    const text = this.#given.get(name)?.texts.at(-1);
    return text === '' ? undefined : text;
  }

  /** `undefined` when not given. */
  oneOf<T extends string>(name: string, words: readonly T[]): T | undefined {
    return this.#last(name, `one of ${words.join(', ')}`, (text) => words.find((word) => word === text));
  }

  /** `undefined` when not given. */
  bool(name: string): boolean | undefined {
    return this.#last(name, 'true or false', (text) => {
      if (['1', 't', 'true'].includes(text.toLowerCase())) return true;
      return ['0', 'f', 'false'].includes(text.toLowerCase()) ? false : undefined;
    });
  }

  /** From 0 to `max`; `undefined` when not given. */
  int(name: string, max: number): number | undefined {
    return this.#last(name, `an integer from 0 to ${max}`, (text) =>
      /^\+?\d{1,9}$/u.test(text) && Number(text) <= max ? Number(text) : undefined,
    );
  }

  /** All occurrences together; `undefined` when not given. */
  list(name: string): readonly string[] | undefined {
    const given = this.#given.get(name);
    if (given === undefined) return undefined;
    if (given.fromVariable)
      return given.texts.flatMap((text) => text.split(/\s+/u)).filter((word) => word !== '');
    return given.texts.flatMap((text) => parseCsvRecord(text, given.source));
  }

  #last<T>(name: string, expected: string, parse: (text: string) => T | undefined): T | undefined {
    const given = this.#given.get(name);
    const text = given?.texts.at(-1);
    if (given === undefined || text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) {
      throw new UsageError(
        `invalid argument ${JSON.stringify(text)} for ${given.source}: expected ${expected}`,
      );
    }
    return value;
  }
}

/**
 * Reads flags and positionals as pflag does: both may be mixed, everything after `--` is positional.
 * A flag beats its variable `AGENTAPI_NAME`, an empty variable counts as unset (AA-003).
 * @throws {UsageError} for an unknown flag or a missing value.
 */
export function readFlags(
  flags: readonly Flag[],
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { readonly values: FlagValues; readonly positionals: readonly string[] } {
  const known = Object.fromEntries(
    flags.map((flag) => [
      flag.name,
      {
        type: flag.kind === 'bool' ? ('boolean' as const) : ('string' as const),
        ...(flag.short === undefined ? {} : { short: flag.short }),
      },
    ]),
  );
  // The tokens are read one by one: strict mode refuses `--load-state=false`, which agentapi takes.
  const { tokens } = parseArgs({
    args: [...args],
    options: known,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, Given & { readonly texts: string[] }>();
  for (const flag of flags) {
    const variable = `AGENTAPI_${flag.name.toUpperCase().replaceAll('-', '_')}`;
    const text = flag.noVariable === true ? undefined : environment[variable];
    if (text !== undefined && text !== '') {
      given.set(flag.name, { source: variable, fromVariable: true, texts: [text] });
    }
  }
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = flags.find((candidate) => candidate.name === token.name);
    const written = args[token.index] ?? token.rawName;
    if (flag === undefined) {
      throw new UsageError(
        token.rawName.startsWith('--')
          ? `unknown flag: ${token.rawName}`
          : `unknown shorthand flag: '${token.name}' in ${written}`,
      );
    }
    let text = token.value;
    if (text === undefined) {
      if (flag.kind !== 'bool') throw new UsageError(`flag needs an argument: ${token.rawName}`);
      text = 'true';
    } else if (!token.rawName.startsWith('--') && token.inlineValue && text.startsWith('=')) {
      text = text.slice(1);
    }
    const before = given.get(flag.name);
    if (before === undefined || before.fromVariable) {
      given.set(flag.name, { source: `"--${flag.name}" flag`, fromVariable: false, texts: [text] });
    } else {
      before.texts.push(text);
    }
  }
  return { values: new FlagValues(given), positionals };
}

/** The fields of one CSV record (RFC 4180 quoting); a final line feed is dropped, an empty record has no field. */
function parseCsvRecord(text: string, source: string): readonly string[] {
  const record = text.replace(/\r?\n$/u, '');
  if (record === '') return [];
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/uy;
  for (let more = true; more;) {
    const match = field.exec(record);
    if (match === null) {
      throw new UsageError(`invalid argument ${JSON.stringify(text)} for ${source}: a quote is out of place`);
    }
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    more = match[3] === ',';
  }
  return fields;
}
