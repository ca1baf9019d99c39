#!/usr/bin/env node
// An agent with a full-screen interface: history, working line, input box. What it does with a message
// is decided by the message's first word (see `answer`), how it takes input by its flags:
//   --log FILE         append each piece of input, as one JSON string a line
//   --paste            ask for bracketed paste
//   --no-echo          show no typed text
//   --ignore-enter N   ignore the first N Enters
//   --splash MS        show no input box for so long after the start
//   --no-box           never show one
//   --alternate        draw on the alternate buffer, and leave it at Ctrl+C with a farewell
//   --ignore SIGNAL    ignore a signal
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    log: { type: 'string' },
    paste: { type: 'boolean', default: false },
    'no-echo': { type: 'boolean', default: false },
    'ignore-enter': { type: 'string', default: '0' },
    splash: { type: 'string', default: '0' },
    'no-box': { type: 'boolean', default: false },
    alternate: { type: 'boolean', default: false },
    ignore: { type: 'string' },
  },
});

const { stdout } = process;
const BORDER = '─'.repeat(40);
/** @type {string[]} */
const history = [];
let input = '';
let working = false;
/** Whether it says so above the input box. */
let busy = false;
let box = !flags['no-box'] && flags.splash === '0';
let entersToIgnore = Number(flags['ignore-enter']);
/** A key that somebody waits for, instead of text for the input box. @type {((key: string) => void) | null} */
let takeKey = null;

function draw() {
  const shown = flags['no-echo'] ? '' : input.replaceAll('\n', '\r\n  ');
  const lower = box ? `${BORDER}\r\n> ${shown}\r\n${BORDER}` : '';
  const upper = [...history, ...(busy ? ['⠋ Thinking (esc to interrupt)'] : [])];
  stdout.write(`\x1b[2J\x1b[H${upper.map((line) => `${line}\r\n`).join('')}${lower}`);
}

/** @param {string} text */
function say(text) {
  history.push(...text.split('\n'), '');
  draw();
}

/** @param {string} message */
async function answer(message) {
  history.push(...message.split('\n').map((line, i) => (i === 0 ? `» ${line}` : `  ${line}`)), '');
  draw();
  const [word = '', ...rest] = message.split(' ');
  const [first = '', second = ''] = rest;
  switch (word) {
    case 'silent':
      return;
    case 'same':
      return say('The same reply.');
    case 'stream':
      busy = true;
      for (let i = 1; i <= Number(first); i += 1) {
        history.push(`line ${i}`);
        draw();
        await sleep(Number(second));
      }
      busy = false;
      return draw();
    case 'busy':
      stdout.write('\x1b[H\x1b[2J⠋ Thinking (esc to interrupt)');
      await sleep(Number(first));
      return say('Worked hard.');
    case 'pause':
      box = false;
      say('First half.');
      await sleep(Number(first));
      box = true;
      return say('Second half.');
    case 'title':
      stdout.write('\x1b]0;⠂ working\x07');
      await sleep(Number(first));
      stdout.write('\x1b]0;✳ done\x07');
      return say('Changed the title.');
    case 'big':
      for (let sent = 0, i = 0; sent < Number(first); sent += 60, i += 1)
        stdout.write(`${String(i).padEnd(58, '.')}\r\n`);
      history.length = 0;
      return say('Big enough.');
    case 'wide':
      return say('日本語 한국어 e\u0301 👍 end');
    case 'alternate':
      stdout.write('\x1b[?1049h\x1b[2J\x1b[Halternate screen');
      await sleep(Number(first));
      stdout.write('\x1b[?1049l');
      return say('Back again.');
    case 'ask': {
      box = false;
      say('Delete everything?\n❯ 1. Yes\n  2. No');
      /** @type {string} */
      const key = await new Promise((resolve) => (takeKey = resolve));
      takeKey = null;
      history.splice(-4);
      box = true;
      return say(key === '1' ? 'Deleted.' : 'Kept.');
    }
    case 'exit':
      stdout.write('\x1b[2J\x1b[HLast words.');
      return process.exit(Number(first));
    default:
      return say(`You said: ${message}`);
  }
}

function leave() {
  if (flags.alternate) stdout.write('\x1b[?1049lGoodbye.\r\n');
  process.exit(0);
}

/** @param {string} data */
function take(data) {
  if (flags.log !== undefined) appendFileSync(flags.log, `${JSON.stringify(data)}\n`);
  if (takeKey !== null) return takeKey(data);
  let rest = data;
  while (rest !== '') {
    if (rest.startsWith('\x1b[200~')) {
      const end = rest.indexOf('\x1b[201~');
      input += rest.slice(6, end);
      rest = rest.slice(end + 6);
      continue;
    }
    const key = rest.charAt(0);
    rest = rest.slice(1);
    if (key === '\r') {
      if (entersToIgnore > 0) entersToIgnore -= 1;
      else if (input !== '') {
        const message = input;
        input = '';
        working = true;
        draw();
        void answer(message).then(() => (working = false));
      }
    } else if (key === '\b' || key === '\x7f') input = input.slice(0, -1);
    else if (key === '\x15') input = input.slice(0, input.lastIndexOf('\n') + 1);
    else if (key === '\x03') leave();
    else if (key !== '\x05') input += key;
  }
  if (!working) draw();
}

process.on('SIGINT', () => process.exit(0));
if (flags.ignore !== undefined) process.on(flags.ignore, () => {});
if (flags.ignore === 'SIGINT') process.removeAllListeners('SIGINT').on('SIGINT', () => {});
process.stdin.setRawMode(true).setEncoding('utf8').on('data', take);
if (flags.alternate) stdout.write('\x1b[?1049h');
if (flags.paste) stdout.write('\x1b[?2004h');
history.push('Welcome.', '');
draw();
if (flags.splash !== '0') {
  await sleep(Number(flags.splash));
  box = true;
  draw();
}
