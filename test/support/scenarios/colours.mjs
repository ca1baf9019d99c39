// Answers in colours and styles of every kind, and sets the title of the window.
import { converse } from './cooked-agent.mjs';

await converse((_message, { write, say }) => {
  write('\x1b]0;a title\x07');
  say(
    [
      '\x1b[1mbold\x1b[22m \x1b[3mitalic\x1b[0m \x1b[4;31munderlined red\x1b[0m',
      '\x1b[38;5;208m256 colours\x1b[39m \x1b[48;2;10;20;30mtrue colour\x1b[49m \x1b[7minverse\x1b[m',
    ].join('\n'),
  );
});
