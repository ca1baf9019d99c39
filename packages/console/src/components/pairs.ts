import { randomId } from '../api/random-id.ts';
import { PAIRS } from '../texts/forms.ts';

/** A name with a value, as somebody edits it. */
export interface Pair {
  /** Tells the lines apart, whatever is in them. */
  readonly key: string;
  readonly name: string;
  readonly value: string;
  /** The server has a value that is not shown: it stays unless another is given. */
  readonly isKept?: boolean;
}

/** A problem with one line, or with all of them (`''`), by the name of the line. */
export type PairProblems = ReadonlyMap<string, string>;

/** A line. */
export function pair(name = '', value = '', isKept = false): Pair {
  return { key: randomId(), name, value, ...(isKept ? { isKept } : {}) };
}

/** Whether there is nothing in a line, so that it does not count. */
export function isBlankPair({ name, value, isKept }: Pair): boolean {
  return name.trim() === '' && value === '' && isKept !== true;
}

/** Names and values of those lines that have something in them, the last of a name wins. */
export function recordOf(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(
    pairs.filter((each) => !isBlankPair(each)).map(({ name, value }) => [name.trim(), value]),
  );
}

/** Lines with others behind them: a name that is there already gets the new value. */
export function withPairs(
  pairs: readonly Pair[],
  entries: readonly Pick<Pair, 'name' | 'value'>[],
): readonly Pair[] {
  const result = pairs.filter((each) => !isBlankPair(each));
  for (const { name, value } of entries) {
    const at = result.findIndex((each) => each.name.trim() === name);
    const present = result[at];
    if (present === undefined) result.push(pair(name, value));
    else result[at] = { key: present.key, name, value };
  }
  return result;
}

/** Lines without a name, and names that are there twice. */
export function pairProblems(pairs: readonly Pair[]): PairProblems {
  const names = pairs.filter((each) => !isBlankPair(each)).map(({ name }) => name.trim());
  const problems = new Map<string, string>();
  names.forEach((name, index) => {
    if (name === '') problems.set('', PAIRS.noName);
    else if (names.indexOf(name) !== index) problems.set(name, PAIRS.twice);
  });
  return problems;
}

/** The problems of the lines of one member, by name; `''` for those of all of them. */
export function problemsBelow(problems: ReadonlyMap<string, string>, member: string): PairProblems {
  return new Map(
    [...problems].flatMap(([path, text]): [string, string][] => {
      if (path === member) return [['', text]];
      return path.startsWith(`${member}.`) ? [[path.slice(member.length + 1), text]] : [];
    }),
  );
}
