// A program that draws a screen and shows, in hexadecimal, the bytes that it gets. Some keys make it do something:
//   H  print what tries to reach out of the terminal: queries, clipboard, title, links, a bell
//   P  ask for pasted text to be marked, and for the other form of cursor keys
//   M  ask for reports of the mouse
//   X  end
const { stdin, stdout } = process;
const HOSTILE = [
  // Device attributes, status, cursor position, modes, settings, version.
  '\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[?2004$p\x1b[4$p\x1bP$qm\x1b\\\x1b[>q\x1bZ\x05',
  // Size of the window, its title, colours.
  '\x1b[18t\x1b[14t\x1b[21t\x1b]10;?\x07\x1b]11;?\x07\x1b]4;1;?\x07',
  // Clipboard, title, a link, a notification, reports of the focus, a bell.
  '\x1b]52;c;c3RvbGVu\x07\x1b]52;c;?\x07\x1b]0;taken over\x07\x1b]2;taken over\x07\x1b]9;look here\x07\x1b[?1004h\x07',
  '\x1b]8;;javascript:document.title="run"\x07innocent\x1b]8;;\x07',
  '<img src=x onerror="document.title=1"><script>document.title=2</script>',
].join('');
/** @type {Readonly<Record<string, string>>} */
const ANSWERS = { H: `${HOSTILE}\r\nStill here.\r\n`, P: '\x1b[?2004h\x1b[?1h', M: '\x1b[?1003h\x1b[?1006h' };

const colours = [31, 32, 33, 34, 35, 36, 91, 94].map((colour) => `\x1b[${colour}mcolour ${colour}\x1b[0m`);
const styles =
  '\x1b[1mbold\x1b[0m \x1b[2mdim\x1b[0m \x1b[2;31mdim red\x1b[0m \x1b[7minverse\x1b[0m \x1b[44mback\x1b[0m';
const wide = '漢字 é \x1b[38;2;0;90;200mtrue colour\x1b[0m \x1b[97mbright white\x1b[0m \x1b[30mblack\x1b[0m';
stdout.write(`${colours.join(' ')}\r\n${styles} ${wide}\r\n┌──┐\r\n│  │\r\n└──┘\r\nReady\r\n`);

stdin.setRawMode(true).on('data', (/** @type {Buffer} */ data) => {
  let keys = data.toString('utf8');
  // On a busy machine what was typed one after the other is read at once.
  while (keys.length > 1) {
    const answer = ANSWERS[keys[0] ?? ''];
    if (answer === undefined) break;
    stdout.write(answer);
    keys = keys.slice(1);
  }
  if (keys === 'X') process.exit(0);
  stdout.write(ANSWERS[keys] ?? `Bytes: ${Buffer.from(keys).toString('hex')}\r\n`);
});
