#!/usr/bin/env node
// An agent with dialogs that are answered with the arrow keys and Enter, one key at a time. Flags:
//   --trust        ask something before the first prompt
//   --deaf         ignore every key of a dialog
//   --drowsy       ignore the first key of every dialog
//   --hasty        ignore an Enter that comes within 100 ms of the key before
//   --held-up      read the first keys of every dialog only 2 s after the first of them
//   --slow FILE    take a moment for each key of a dialog; keys are noted in FILE as they come, one JSON string a line
// The message `ask` opens a dialog, `ask twice` one after the other; any other message is answered.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const flags = new Set(process.argv.slice(2));
const { stdout } = process;
const BORDER = '─'.repeat(40);
/** @type {string[]} */
const history = ['Welcome.', ''];
let input = '';
/** @type {{ question: string, labels: string[], chosen: number, isAwake?: boolean, done: (label: string) => void } | null} */
let dialog = null;

function draw() {
  const rows = [...history];
  if (dialog === null) rows.push(BORDER, `> ${input}`, BORDER);
  else {
    const { question, labels, chosen } = dialog;
    rows.push(question, ...labels.map((label, i) => `${i === chosen ? '❯' : ' '} ${i + 1}. ${label}`));
  }
  // In two pieces, as agents do that paint row by row.
  stdout.write('\x1b[2J\x1b[H');
  setTimeout(() => stdout.write(`\x1b[H${rows.join('\r\n')}`), 20);
}

/** @param {string} question @returns {Promise<string>} */
async function ask(question) {
  const labels = ['Yes', 'Yes, and always', 'No'];
  const answer = await new Promise((/** @type {(label: string) => void} */ done) => {
    dialog = { question, labels, chosen: 0, done };
    draw();
  });
  dialog = null;
  return answer;
}

/** @param {string} message */
async function answer(message) {
  history.push(`» ${message}`, '');
  if (message.startsWith('ask')) {
    const count = message === 'ask twice' ? 2 : 1;
    for (let i = 1; i <= count; i += 1) history.push(`Answer ${i}: ${await ask(`Delete file ${i}?`)}`, '');
  } else history.push(`You said: ${message}`, '');
  draw();
}

const slowFile = process.argv[process.argv.indexOf('--slow') + 1] ?? '';
/** Settles when the keys before have been taken. */
let taken = Promise.resolve();

let lastKeyAt = 0;

/** @param {string} data */
function take(data) {
  const isLost =
    flags.has('--hasty') && data === '\r' && dialog !== null && performance.now() - lastKeyAt < 100;
  lastKeyAt = performance.now();
  if (isLost) return;
  const isSlow = flags.has('--slow');
  if (dialog === null || (!isSlow && !flags.has('--held-up'))) return takeKey(data);
  for (const key of data.match(/\x1b\[[AB]|[^]/gu) ?? []) {
    if (isSlow) appendFileSync(slowFile, `${JSON.stringify(key)}\n`);
    const pause = isSlow ? 300 : dialog.isAwake ? 100 : 2_000;
    dialog.isAwake = true;
    taken = taken.then(() => sleep(pause)).then(() => takeKey(key));
  }
}

/** @param {string} key */
function takeKey(key) {
  if (dialog !== null) {
    if (flags.has('--deaf') || (flags.has('--drowsy') && !dialog.isAwake)) {
      dialog.isAwake = true;
      return;
    }
    if (key === '\x1b[A') dialog.chosen = Math.max(dialog.chosen - 1, 0);
    else if (key === '\x1b[B') dialog.chosen = Math.min(dialog.chosen + 1, dialog.labels.length - 1);
    else if (key === '\r') return dialog.done(dialog.labels[dialog.chosen] ?? '');
    return draw();
  }
  if (key === '\r' && input !== '') {
    const message = input;
    input = '';
    return void answer(message);
  }
  if (!key.startsWith('\x1b')) input = (input + key.replaceAll('\r', '')).replaceAll(/.?\x08/gu, '');
  draw();
}

process.on('SIGINT', () => process.exit(0));
process.stdin.setRawMode(true).setEncoding('utf8').on('data', take);
if (flags.has('--trust')) history.push(`Trusted: ${await ask('Do you trust this folder?')}`, '');
draw();
