import type { Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { onOneLine } from '../table.ts';
import { SHELLS } from './scripts.ts';
import type { Shell } from './scripts.ts';

/** Something that the word at the cursor can become. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What values are looked up, by the kind of thing that an option or argument names. */
export interface ValueSource {
  readonly session: () => Promise<readonly Candidate[]>;
  readonly context: () => Promise<readonly Candidate[]>;
  readonly profile: () => Promise<readonly Candidate[]>;
}

/** Options that lead to a server, as typed. */
export type TypedOptions = Readonly<Record<string, string>>;

/** Of bash: at these signs it takes words apart. */
const BREAKS = /^[:=]+$/;

/** What needs no quoting in any shell; everything else would be taken for something that it is not. */
const PLAIN_WORD = /^[\w.@+,/:=-]+$/;

/**
 * Answers a shell's question, `complete SHELL -- WORDS…`: prints what the last word can become, one a line. What cannot
 * be found out is left out.
 */
export async function complete(
  args: readonly string[],
  program: Command,
  context: CliContext,
): Promise<void> {
  const shell = SHELLS.find((known) => known === args[0]);
  if (shell === undefined || args[1] !== '--') return;
  const words = shell === 'bash' ? joinedAtBreaks(args.slice(2)) : args.slice(2);
  const state = readWords(program, words);
  const { sourceOf } = await import('./value-source.ts');
  for (const line of await linesFor(shell, state, sourceOf(state.options, context))) {
    context.stdout.write(`${line}\n`);
  }
}

/** What is at the cursor. */
interface State {
  readonly command: Command;
  /** The word as far as it is typed; of `--option=value` the value. */
  readonly current: string;
  /** The option whose value it is. */
  readonly option: Option | null;
  /** `--option=` when it stands in the same word. */
  readonly prefix: string;
  /** How many arguments of the command stand before it. */
  readonly position: number;
  readonly options: TypedOptions;
}

/** Undoes how bash takes words apart at `:` and `=`. */
function joinedAtBreaks(words: readonly string[]): readonly string[] {
  const joined: string[] = [];
  let isOpen = false;
  for (const word of words) {
    const isBreak = BREAKS.test(word);
    if (joined.length > 0 && (isBreak || isOpen)) joined.push(`${joined.pop() ?? ''}${word}`);
    else joined.push(word);
    isOpen = isBreak;
  }
  return joined;
}

function readWords(program: Command, words: readonly string[]): State {
  const current = words.at(-1) ?? '';
  let command = program;
  let position = 0;
  let option: Option | null = null;
  let onlyArguments = false;
  const options: Record<string, string> = {};
  for (const word of words.slice(0, -1)) {
    if (option !== null) {
      options[option.attributeName()] = word;
      option = null;
    } else if (word === '--') {
      onlyArguments = true;
    } else if (!onlyArguments && word.startsWith('-') && word !== '-') {
      const { found, value } = optionOf(command, word);
      if (found !== null && takesValue(found)) {
        if (value === null) option = found;
        else options[found.attributeName()] = value;
      }
    } else {
      const next = position === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (next === undefined) position += 1;
      else command = next;
    }
  }
  const { found, value } = optionOf(command, current);
  if (option === null && !onlyArguments && found !== null && value !== null) {
    const prefix = current.slice(0, current.length - value.length);
    return { command, current: value, option: found, prefix, position, options };
  }
  return { command, current, option, prefix: '', position, options };
}

function optionOf(
  command: Command,
  word: string,
): { readonly found: Option | null; readonly value: string | null } {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  const flag = at === -1 ? word : word.slice(0, at);
  const found = optionsOf(command).find(({ short, long }) => flag === short || flag === long) ?? null;
  return { found, value: at === -1 ? null : word.slice(at + 1) };
}

/** Of the command and of those above it, which commander takes everywhere; not those of the program itself. */
function optionsOf({ options, parent }: Command): readonly Option[] {
  return parent === null || parent.parent === null ? options : [...options, ...optionsOf(parent)];
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

async function linesFor(shell: Shell, state: State, source: ValueSource): Promise<readonly string[]> {
  const candidates = await candidatesFor(state, source);
  if (candidates === 'files') return [':files'];
  // fish replaces the whole word, the others what comes after the sign.
  const prefix = shell === 'fish' ? state.prefix : '';
  return candidates
    .filter(({ value }) => value.startsWith(state.current) && PLAIN_WORD.test(value))
    .map(({ value, description }) => {
      const shown = shell === 'bash' ? value.slice(breakBefore(state.current)) : value;
      return `${prefix}${shown}\t${onOneLine(description)}`;
    });
}

/** Length of what bash has taken off the word at the cursor. */
function breakBefore(current: string): number {
  return Math.max(current.lastIndexOf(':'), current.lastIndexOf('=')) + 1;
}

async function candidatesFor(state: State, source: ValueSource): Promise<readonly Candidate[] | 'files'> {
  const { command, current, option, position } = state;
  if (option !== null) {
    const [, name = ''] = /<([^>]+)>/.exec(option.flags) ?? [];
    return valuesOf(option.long === '--context' ? 'context' : name, option.argChoices, option, source);
  }
  if (current.startsWith('-')) {
    return optionsOf(command)
      .filter(({ hidden }) => !hidden)
      .flatMap(({ long, description }) =>
        long === undefined || long === null ? [] : [{ value: long, description }],
      );
  }
  const subcommands = position === 0 ? command.createHelp().visibleCommands(command) : [];
  if (subcommands.length > 0) {
    return subcommands.map((each) => ({ value: each.name(), description: each.description() }));
  }
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? [] : valuesOf(argument.name(), argument.argChoices, null, source);
}

async function valuesOf(
  name: string,
  choices: readonly string[] | undefined,
  option: Option | null,
  source: ValueSource,
): Promise<readonly Candidate[] | 'files'> {
  if (choices !== undefined) return choices.map((value) => ({ value, description: '' }));
  if (name === 'session' || name === 'sessions' || option?.long === '--session-id') return source.session();
  if (name === 'context' || name === 'profile') return source[name]();
  return name === 'file' ? 'files' : [];
}
