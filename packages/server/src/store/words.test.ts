import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasPhrases, MAX_QUERY_WORDS, parseWordQuery, placeOfMatch, wordsOf } from './words.ts';

function finds(text: string, query: string): boolean {
  const wanted = parseWordQuery(query);
  const words = wordsOf(text);
  return wanted.words.length > 0 && wanted.words.every((word) => words.has(word)) && hasPhrases(text, wanted);
}

describe('a search', () => {
  test.each([
    ['The Refresh Token expires', 'token refresh'],
    ['Prüfung der Größe', 'prufung große'],
    ['résumé', 'RESUME'],
    ['ﬁle ①', 'file 1'],
    ['データベースに接続できません', '接続'],
    ['データベースに接続できません', 'データベース'],
    ['서버가 응답하지 않습니다', '응답'],
    ['ошибка соединения', 'ОШИБКА'],
    ['call refresh_token() now', 'refresh_token'],
    ['one two  three', '"two three"'],
  ])('%j is found by %j', (text, query) => {
    expect(finds(text, query)).toBe(true);
  });

  test.each([
    ['one three two', '"two three"'],
    ['接する連続', '接続'],
    ['tokens', 'token'],
    ['anything', '* OR -- "'],
  ])('%j is not found by %j', (text, query) => {
    expect(finds(text, query)).toBe(false);
  });

  test('finds every text by each of its words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        for (const word of [...wordsOf(text)].slice(0, MAX_QUERY_WORDS)) expect(finds(text, word)).toBe(true);
        expect(placeOfMatch(text, parseWordQuery(text))).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
