import { setTimeout as delay } from 'node:timers/promises';
import { runShellCommand } from './shell-command.ts';
import type { ShellCommandOptions } from './shell-command.ts';

/** What an answer may do; everything it awaits ends when `signal` aborts. */
export interface AnswerContext {
  /** Adds a line to the answer. */
  readonly show: (line: string) => void;
  /** Lets the user choose. @returns the index; `null` when cancelled. */
  readonly ask: (title: string, question: string, choices: readonly string[]) => Promise<number | null>;
  readonly exit: (code: number) => void;
  readonly shell: ShellCommandOptions;
  readonly signal: AbortSignal;
}

/** Long enough to be seen working, short enough for nobody to wait. */
const THINKING_MS = 150;
const STREAM_INTERVAL_MS = 100;
const DEFAULT_STREAM_LINES = 10;
const MAX_STREAM_LINES = 10_000;
const MAX_THINK_SECONDS = 3_600;

const HELP = [
  'I am a small agent for trying things out; I run here and need no network.',
  '',
  '  text             I repeat it',
  '  /stream N        N lines, one after another',
  '  /think SECONDS   nothing but work',
  '  /run COMMAND     a shell command in the working directory',
  '  /ask             a question with choices',
  '  /exit [CODE]     the end of this program',
  '  /help            this list',
  '',
  'Esc or Ctrl+C interrupts me, Ctrl+D on an empty line ends me, Ctrl+J begins a new line.',
].join('\n');

const CHOICES = ['Yes', "Yes, and don't ask again", 'No, and tell me what to do instead'];

/** Answers one message of the user. Rejects when `context.signal` aborts. */
export async function answer(message: string, context: AnswerContext): Promise<void> {
  const command = /^\/(?<name>[a-z]+)(?:\s+(?<rest>[^]*))?$/.exec(message.trim())?.groups;
  const rest = command?.['rest']?.trim() ?? '';
  switch (command?.['name']) {
    case undefined:
      await delay(THINKING_MS, undefined, { signal: context.signal });
      showLines(context, `You said: ${message}`);
      return;
    case 'help':
      showLines(context, HELP);
      return;
    case 'stream':
      await stream(rest, context);
      return;
    case 'think':
      await think(rest, context);
      return;
    case 'run':
      await run(rest, context);
      return;
    case 'ask':
      await ask(context);
      return;
    case 'exit':
      exit(rest, context);
      return;
    default:
      context.show(`I do not know the command /${command?.['name']}; /help lists those I know.`);
  }
}

async function stream(rest: string, context: AnswerContext): Promise<void> {
  const count = rest === '' ? DEFAULT_STREAM_LINES : numberIn(rest, 1, MAX_STREAM_LINES);
  if (count === null || !Number.isInteger(count)) {
    context.show(`/stream takes a number of lines from 1 to ${MAX_STREAM_LINES}.`);
    return;
  }
  for (let line = 1; line <= count; line += 1) {
    await delay(STREAM_INTERVAL_MS, undefined, { signal: context.signal });
    context.show(`Line ${line} of ${count}`);
  }
}

async function think(rest: string, context: AnswerContext): Promise<void> {
  const seconds = rest === '' ? 1 : numberIn(rest, 0, MAX_THINK_SECONDS);
  if (seconds === null) {
    context.show(`/think takes a number of seconds from 0 to ${MAX_THINK_SECONDS}.`);
    return;
  }
  await delay(seconds * 1000, undefined, { signal: context.signal });
  context.show(`I thought for ${seconds} s.`);
}

async function run(rest: string, context: AnswerContext): Promise<void> {
  if (rest === '') {
    context.show('/run takes a shell command, for example: /run ls -l');
    return;
  }
  showLines(context, `$ ${rest}`);
  const verdict = await runShellCommand(rest, context.shell, context.show, context.signal);
  context.signal.throwIfAborted();
  context.show(`(${verdict})`);
}

async function ask(context: AnswerContext): Promise<void> {
  const chosen = await context.ask('Confirmation', 'Do you want to proceed?', CHOICES);
  const choice = chosen === null ? undefined : CHOICES[chosen];
  context.show(choice === undefined ? 'You chose nothing.' : `You chose: ${choice}`);
}

function exit(rest: string, context: AnswerContext): void {
  const code = rest === '' ? 0 : numberIn(rest, 0, 255);
  if (code === null || !Number.isInteger(code)) context.show('/exit takes an exit code from 0 to 255.');
  else context.exit(code);
}

function showLines(context: AnswerContext, text: string): void {
  for (const line of text.split('\n')) context.show(line);
}

function numberIn(text: string, min: number, max: number): number | null {
  if (!/^\d+(?:\.\d+)?$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}
