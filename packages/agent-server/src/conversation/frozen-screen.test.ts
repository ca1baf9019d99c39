import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printsUnseenText } from './frozen-screen.ts';

const SCREEN = 'Welcome to the program\n│ unbreakable │\n│ words       │\n';

test.each([
  ['a text', 'something different', true],
  ['a text among sequences', '\x1b[2J\x1b[1;1H\x1b[38;5;9msomething\x1b[m', true],
  ['what is on the screen', '\x1b[HWelcome to the program', false],
  ['a word that is wrapped on the screen', 'programs'.slice(0, 7), false],
  ['moves of the cursor', '\x1b[?25l\x1b[10;20H\x1b[?25h', false],
  ['a title', '\x1b]0;something different\x07', false],
  ['the rest of a title', 'something different\x07\x1b[H', false],
  ['a title whose end has not come yet', '\x1b[H\x1b]2;something different', false],
  ['the rest of a sequence', '38;5;120m', true],
  ['a spinner', '\x1b[3;1H⠋\x1b[3;1H⠙', false],
])('AA-171: %s is text that is not on the screen: %s', (_, output, unseen) => {
  expect(printsUnseenText(output, SCREEN)).toBe(unseen);
});

test('AA-171: for any output it gives an answer, and what is on the screen was seen', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (output, screen) => {
      expect(printsUnseenText(output, screen)).toBeTypeOf('boolean');
      expect(printsUnseenText(output.replaceAll(/[\0-\x20\x7f]/g, ' '), `${screen}${output}`)).toBe(false);
    }),
  );
});

test('AA-171: a megabyte of sequences without an end is looked at', () => {
  for (const unit of ['\x1b]', '\x1b[', 'x\x1b', '\x07', '\x1b]0;\x07']) {
    expect(printsUnseenText(unit.repeat(1_000_000 / unit.length), SCREEN)).toBeTypeOf('boolean');
  }
});
