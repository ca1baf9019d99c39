#!/usr/bin/env node
// An agent in a plain cooked terminal that follows a script: `node scripted-agent.mjs SCRIPT.json`.
// A script is an array of {expectMessage, thinkDurationMS?, responseMessage}; an empty expectMessage
// means that the agent speaks without being asked.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {{ expectMessage: string, thinkDurationMS?: number, responseMessage: string }} Step */

const SPINNER_MS = 200;
/** @type {string[]} */
const history = [];

/** @param {string} prompt */
function redraw(prompt) {
  process.stdout.write(`\x1b[2J\x1b[H${history.map((line) => `${line}\n`).join('')}${prompt}`);
}

/** @param {number} durationMs */
async function think(durationMs) {
  redraw('Thinking... ');
  const end = performance.now() + durationMs;
  for (let frame = 0; performance.now() < end; frame += 1) {
    process.stdout.write(`\rThinking... ${'|/-\\'.charAt(frame % 4)}`);
    await sleep(Math.min(SPINNER_MS, Math.max(1, end - performance.now())));
  }
  process.stdout.write('\r\x1b[K');
}

/** @param {string} line */
function cleaned(line) {
  return line
    .replaceAll(/\x1b\[\d*[~A-Za-z]/g, '')
    .replaceAll(/[^\x08]\x08/g, '')
    .replaceAll(/[\x08\x7f\x1b]/g, '')
    .trim();
}

process.on('SIGINT', () => process.exit(0));
/** @type {Step[]} */
const script = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const lines = createInterface({ input: process.stdin, terminal: false })[Symbol.asyncIterator]();
redraw('> ');
for (const { expectMessage, thinkDurationMS = 0, responseMessage } of script) {
  if (expectMessage !== '') {
    let message = '';
    while (message === '') {
      const { value, done } = await lines.next();
      if (done === true) process.exit(0);
      message = cleaned(value);
    }
    if (message !== expectMessage) {
      console.error(`expected ${JSON.stringify(expectMessage)}, got ${JSON.stringify(message)}`);
      process.exit(1);
    }
    history.push(`> ${message}`);
    redraw('> ');
  }
  if (thinkDurationMS > 0) await think(thinkDurationMS);
  history.push(responseMessage);
  redraw('> ');
}
setInterval(() => {}, 60_000);
