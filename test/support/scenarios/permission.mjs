// An agent that looks like Claude Code: a box for its input, and a dialog whenever it is told something.
process.on('SIGINT', () => process.exit(0));
const BORDER = '─'.repeat(40);
let dialog = false;
let answer = 'Hello.';

function draw() {
  const lower = dialog
    ? 'Do you want to proceed?\r\n❯ 1. Yes\r\n  2. No\r\n'
    : `${BORDER}\r\n> \r\n${BORDER}\r\n  ? for shortcuts`;
  process.stdout.write(`\x1b[2J\x1b[H${answer}\r\n\r\n${lower}`);
}

process.stdin
  .setRawMode(true)
  .setEncoding('utf8')
  .on('data', (/** @type {string} */ keys) => {
    if (dialog && /^[12]$/.test(keys)) {
      answer = keys === '1' ? 'Done.' : 'Left alone.';
      dialog = false;
    } else if (keys.includes('\r')) {
      // Enter takes the choice that is marked, as it does in every such dialog.
      if (dialog) answer = 'Done.';
      dialog = !dialog;
    }
    draw();
  });
draw();
