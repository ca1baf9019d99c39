// An agent in a plain terminal, which edits and echoes its lines: clears the screen, writes the conversation and a
// prompt, and reads a line. Whatever an agentapi server types around a message is taken out again.
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} Terminal
 * @property {(text: string) => void} say adds a text to the conversation and shows the prompt
 * @property {(text: string) => void} show adds a text to the conversation and shows no prompt
 * @property {(text: string) => void} write writes to the terminal as it is
 * @property {() => Promise<string>} nextLine
 * @property {(ms: number) => Promise<void>} sleep
 */

/** @param {string} line */
function cleaned(line) {
  return line
    .replaceAll(/\x1b\[\d*[~A-Za-z]/g, '')
    .replaceAll(/[^\x08]\x08/g, '')
    .replaceAll(/[\x08\x7f\x1b]/g, '')
    .trim();
}

/**
 * Greets, and answers message after message until the input ends.
 * @param {(message: string, terminal: Terminal) => Promise<void> | void} answer
 * @param {string} [prompt]
 */
export async function converse(answer, prompt = '> ') {
  process.on('SIGINT', () => process.exit(0));
  /** @type {string[]} */
  const history = ['Hello.'];
  /** @param {string} lower */
  const draw = (lower) => {
    process.stdout.write(`\x1b[2J\x1b[H${history.map((line) => `${line}\n`).join('')}${lower}`);
  };
  const lines = createInterface({ input: process.stdin, terminal: false })[Symbol.asyncIterator]();
  const nextLine = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) process.exit(0);
      const line = cleaned(value);
      if (line !== '') return line;
    }
  };
  /** @param {string} text @param {string} lower */
  const add = (text, lower) => {
    history.push(...text.split('\n'));
    draw(lower);
  };
  draw(prompt);
  for (;;) {
    const message = await nextLine();
    history.push(`> ${message}`);
    draw('');
    await answer(message, {
      say: (text) => add(text, prompt),
      show: (text) => add(text, ''),
      write: (text) => void process.stdout.write(text),
      nextLine,
      sleep: (ms) => sleep(ms),
    });
  }
}
