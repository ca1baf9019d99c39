// Answers with the bytes that it got, in hexadecimal, so that they are not taken for an echo; with `--paste` it asks for pasted text to be marked.
process.on('SIGINT', () => process.exit(0));
let keys = '';
let answer = 'Hello.';
const draw = () => process.stdout.write(`\x1b[2J\x1b[H${answer}\r\n> `);
process.stdin
  .setRawMode(true)
  .setEncoding('utf8')
  .on('data', (/** @type {string} */ data) => {
    keys += data;
    if (!data.includes('\r')) return;
    answer = `Bytes: ${Buffer.from(keys).toString('hex')}`;
    keys = '';
    draw();
  });
if (process.argv.includes('--paste')) process.stdout.write('\x1b[?2004h');
draw();
