import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AGENT_TYPES } from '../../agent-type.ts';
import type { AgentType } from '../../agent-type.ts';
import { removeEcho } from './pipeline.ts';

const rows = (...lines: string[]): string => lines.join('\n');

/** Section 5.2 of the specification, word for word and without any shortcut; tail rules aside. */
function specifiedEcho(text: string, user: string): string {
  const inked = (from: string): [string, number][] =>
    from.split('\n').flatMap((line, i) =>
      Array.from(line)
        .filter((rune) => !' \t\n\r\f\v'.includes(rune))
        .map((rune): [string, number] => [rune, i]),
    );
  const message = inked(text);
  const typed = inked(user);
  const prefix = typed.filter(([, line]) => line === 0).slice(0, 6);
  if (user === '' || prefix.length === 0) return text;
  const window = message.slice(0, Math.max(message.filter(([, line]) => line <= 5).length, 25));
  let m = window.findIndex((_, i) => prefix.every(([rune], k) => window[i + k]?.[0] === rune));
  if (m === -1) return text;
  let u = 0;
  walk: for (;;) {
    for (let du = 1; du <= 5; du += 1) {
      for (let dm = 1; dm <= 5; dm += 1) {
        if (u + du >= typed.length || m + dm >= message.length) break walk;
        if (typed[u + du]?.[0] === message[m + dm]?.[0]) {
          [m, u] = [m + dm, u + du];
          continue walk;
        }
      }
    }
    break;
  }
  return text
    .split('\n')
    .slice((message[m]?.[1] ?? 0) + 1)
    .join('\n');
}

test('AA-121: an empty user text leaves the message alone', () => {
  for (const type of AGENT_TYPES) expect(removeEcho(type, 'a\n\nb ', '')).toBe('a\n\nb ');
});

describe('search', () => {
  test('AA-122: the first six runes of the first user line are looked for, with all above the echo dropped', () => {
    expect(removeEcho('custom', rows('banner', '> abcdef', 'reply'), 'abcdef')).toBe('reply');
    // Only the prefix must be there in full: the rest may be missing.
    expect(removeEcho('custom', rows('> abcdef', 'reply'), 'abcdefQQQQQQ')).toBe('reply');
    expect(removeEcho('custom', rows('> abcdeX', 'reply'), 'abcdef')).toBe(rows('> abcdeX', 'reply'));
  });

  test('AA-122: the prefix comes from the first user line only', () => {
    expect(removeEcho('custom', rows('> ab', 'zzz'), rows('ab', 'cdefgh'))).toBe('zzz');
    expect(removeEcho('custom', rows('> ab', 'zzz'), rows(' ', 'ab'))).toBe(rows('> ab', 'zzz'));
  });

  test('AA-122: the window is lines 0 to 5, or the first 25 runes where those are fewer', () => {
    const at = (line: number, above: string): string =>
      rows(...Array.from({ length: line }, () => above), 'abcdef', 'reply');
    expect(removeEcho('custom', at(5, 'xxxxxxxxxx'), 'abcdef')).toBe('reply');
    expect(removeEcho('custom', at(6, 'xxxxxxxxxx'), 'abcdef')).toBe(at(6, 'xxxxxxxxxx'));
    // 19 runes above and the prefix: rune 24 is the last one in the window.
    expect(removeEcho('custom', at(19, 'x'), 'abcdef')).toBe('reply');
    expect(removeEcho('custom', at(20, 'x'), 'abcdef')).toBe(at(20, 'x'));
  });
});

describe('walk', () => {
  test('AA-123: up to four foreign runes between two of the echo are passed', () => {
    expect(removeEcho('custom', rows('abcdef', '||||ghi', 'reply'), 'abcdefghi')).toBe('reply');
    expect(removeEcho('custom', rows('abcdef', '|||||ghi', 'reply'), 'abcdefghi')).toBe(
      rows('|||||ghi', 'reply'),
    );
  });

  test('AA-123: up to four runes that the agent does not repeat are passed', () => {
    expect(removeEcho('custom', rows('abcdef', 'ghi', '#####'), 'abcdef````ghi')).toBe('#####');
    expect(removeEcho('custom', rows('abcdef', 'ghi', '#####'), 'abcdef`````ghi')).toBe(rows('ghi', '#####'));
  });

  test('AA-124: a character beyond the basic plane is one rune, in the prefix and in the walk', () => {
    expect(removeEcho('custom', rows('🌮🌮🌮🌮🎉🎉', '🎉🎉b', 'reply'), '🎉🎉🎉🎉b')).toBe('reply');
    expect(removeEcho('custom', rows('abcdef', '🌮🌮🌮🌮ghi', 'reply'), 'abcdefghi')).toBe('reply');
    expect(removeEcho('custom', rows('🎉'.repeat(6), '#'), '🎉'.repeat(6))).toBe('#');
  });

  test('AA-124: only ASCII white space is passed over: a no-break space is a rune', () => {
    expect(removeEcho('custom', rows('a b\tc\rd\f\vef', '#'), 'abcdef')).toBe('#');
    expect(removeEcho('custom', rows('ab\u00a0cdef', '#'), 'abcdef')).toBe(rows('ab\u00a0cdef', '#'));
  });
});

describe('tail', () => {
  const rounded = rows('│ > abcdef │', '╰──────────╯', 'reply');
  const square = rows('│ abcdef   │', '└──────────┘', 'reply');
  const bottomRow = { rounded: rows('╰──────────╯', 'reply'), square: rows('└──────────┘', 'reply') };

  test.each(AGENT_TYPES.filter((type) => type !== 'opencode'))(
    'AA-125: %s takes the bottom of the right kind of box only',
    (type: AgentType) => {
      const takesRounded = type === 'gemini' || type === 'copilot';
      expect(removeEcho(type, rounded, 'abcdef')).toBe(takesRounded ? 'reply' : bottomRow.rounded);
      expect(removeEcho(type, square, 'abcdef')).toBe(type === 'cursor' ? 'reply' : bottomRow.square);
    },
  );

  test('AA-125: one corner is no box', () => {
    expect(removeEcho('gemini', rows('abcdef', '╰───', 'reply'), 'abcdef')).toBe(rows('╰───', 'reply'));
  });

  test('AA-118: opencode takes the rows of the author and the spacer, where there are that many', () => {
    expect(removeEcho('opencode', rows('┃ abcdef', '┃ me', '┃', 'reply'), 'abcdef')).toBe('reply');
    expect(removeEcho('opencode', rows('┃ abcdef', '┃ me'), 'abcdef')).toBe('┃ me');
  });
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', 'b', '>', ' ', '\n', '│', '🌮', '\u00a0', '\t'), maxLength: 80 }),
);

test('AA-119 … AA-124: for any text the echo is what the specification says, and whole lines stay', () => {
  fc.assert(
    fc.property(anyText, anyText, (text, user) => {
      const rest = removeEcho('custom', text, user);
      expect(rest).toBe(specifiedEcho(text, user));
      expect(rest === '' || rest === text || text.endsWith(`\n${rest}`)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('AA-123: an echo that is wrapped, indented and framed is removed whole, whatever its text', () => {
  // No two runes are alike, so nothing but the echo can match; the reply shares none with it.
  const letters = fc.uniqueArray(fc.integer({ min: 0x4e00, max: 0x9fff }), { minLength: 7, maxLength: 200 });
  fc.assert(
    fc.property(letters, fc.integer({ min: 7, max: 30 }), (codes, width) => {
      const user = String.fromCodePoint(...codes);
      const wrapped = user.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [];
      const echo = wrapped.map((part, i) => `${i === 0 ? '> ' : '  '}${part}  │`);
      expect(removeEcho('claude', rows(...echo, 'a reply', ''), user)).toBe(rows('a reply', ''));
    }),
  );
});

test('AA-119: a megabyte of text, in one line or in many, with an echo as long as itself', () => {
  for (const unit of ['x', '\n', 'a\n', ' ', '🌮', '> ']) {
    const text = unit.repeat(1_000_000 / unit.length);
    expect(removeEcho('custom', text, text).length).toBeLessThanOrEqual(text.length);
    expect(removeEcho('custom', text, 'xa🌮').length).toBeLessThanOrEqual(text.length);
  }
});
