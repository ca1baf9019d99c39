/*
 * What a search looks for. Both engines get the same: letters and digits of every script, without case, accents and
 * compatibility forms. Scripts that put no spaces between words are taken apart into single characters and pairs.
 */

/** A longer word is known by its beginning. */
const MAX_WORD_CHARS = 64;
/** Different words that are known of one message. */
const MAX_WORDS = 20_000;
/** Different words that one search may ask for. */
export const MAX_QUERY_WORDS = 24;

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]+/gu;
const COMBINING = /[\u0300-\u036f]/g;

/** What somebody searches for. */
export interface WordQuery {
  /** Every one of them must be there. */
  readonly words: readonly string[];
  /** Texts that must be there as they are, in the form of {@link plainForm}. */
  readonly phrases: readonly string[];
}

/** A text as comparisons see it. */
export function plainForm(text: string): string {
  return text.normalize('NFKD').replaceAll(COMBINING, '').toLowerCase().normalize('NFC');
}

/** The different words of a text. */
export function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>();
  for (const [run] of plainForm(text).matchAll(WORD)) {
    for (const word of partsOf(run, 'index')) words.add(word);
    if (words.size >= MAX_WORDS) break;
  }
  return words;
}

/** Reads what somebody has typed: words, and texts in quotation marks. Nothing else has a meaning. */
export function parseWordQuery(text: string): WordQuery {
  const words = new Set<string>();
  const phrases = new Set<string>();
  for (const [, quoted, rest] of plainForm(text).matchAll(/"([^"]*)"|([^"]+|")/g)) {
    const runs = (quoted ?? rest ?? '').match(WORD) ?? [];
    if (quoted !== undefined && runs.length > 0) phrases.add(spaced(quoted));
    for (const run of runs) {
      for (const part of partsOf(run, 'query')) words.add(part);
      for (const [whole] of run.matchAll(WITHOUT_SPACES))
        if (Array.from(whole).length > 2) phrases.add(whole);
    }
  }
  return { words: [...words].slice(0, MAX_QUERY_WORDS), phrases: [...phrases] };
}

/** Whether a text that has all the words has the phrases, too. */
export function hasPhrases(text: string, { phrases }: WordQuery): boolean {
  if (phrases.length === 0) return true;
  const plain = spaced(plainForm(text));
  return phrases.every((phrase) => plain.includes(phrase));
}

/** Where the first word of the query is in a text, counted in UTF-16 units; 0 when it cannot be told. */
export function placeOfMatch(text: string, { words }: WordQuery): number {
  const wanted = new Set(words);
  for (const match of text.matchAll(WORD)) {
    for (const word of partsOf(plainForm(match[0]), 'index')) if (wanted.has(word)) return match.index;
  }
  return 0;
}

function spaced(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function* partsOf(run: string, use: 'index' | 'query'): Generator<string> {
  let from = 0;
  for (const match of run.matchAll(WITHOUT_SPACES)) {
    if (match.index > from) yield wordOf(run.slice(from, match.index));
    yield* pairsOf(Array.from(match[0]), use);
    from = match.index + match[0].length;
  }
  if (from < run.length) yield wordOf(run.slice(from));
}

/** In a query, pairs say more than single characters. */
function* pairsOf(characters: readonly string[], use: 'index' | 'query'): Generator<string> {
  if (use === 'index' || characters.length === 1) yield* characters;
  for (let at = 0; at + 1 < characters.length; at += 1) yield characters.slice(at, at + 2).join('');
}

function wordOf(run: string): string {
  return run.slice(0, MAX_WORD_CHARS);
}
