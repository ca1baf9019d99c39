import { SendError } from '../conversation/conversation-model.ts';

/** ASCII-WS of agentapi section 0. */
const ASCII_WHITESPACE = ' \t\n\r\f\v';
/** UNI-WS of agentapi section 0; not JavaScript's `\s`, which has U+FEFF and lacks U+0085. */
const OUTER_WHITESPACE = /^\p{White_Space}|\p{White_Space}$/u;
/** Parts that a terminal needs and a prompt must not contain (agentapi section 7, step 3). */
const TERMINAL_PARTS = /x\x08|\x1b\[20[01]~/gu;
/** Nothing but control characters: keys, no text. */
const KEYS_ONLY = /^[\x00-\x1f\x7f]*$/u;

/**
 * The text of a user message, trimmed.
 * @throws {SendError} `untrimmed` or `empty`, in this order (AA-088).
 */
export function userPrompt(content: string): string {
  const text = trimAscii(content);
  if (OUTER_WHITESPACE.test(text)) {
    throw new SendError('untrimmed', 'message must be trimmed of leading and trailing whitespace');
  }
  if (text === '') throw new SendError('empty', 'message must not be empty');
  return text;
}

/** What a raw message means to an agent without a terminal. */
export type RawInput =
  | { readonly kind: 'prompt'; readonly text: string }
  /** Ctrl+C or Escape: the user wants the agent to stop. */
  | { readonly kind: 'interrupt' }
  /** Nothing, or keys without a meaning here. */
  | { readonly kind: 'nothing' };

export function rawInput(content: string): RawInput {
  const text = content.replaceAll(TERMINAL_PARTS, '');
  if (!KEYS_ONLY.test(text)) return { kind: 'prompt', text };
  return text.includes('\x03') || text === '\x1b' ? { kind: 'interrupt' } : { kind: 'nothing' };
}

/** Loops, because a regular expression takes quadratic time on a long run of blanks inside the text. */
function trimAscii(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && ASCII_WHITESPACE.includes(text.charAt(start))) start++;
  while (end > start && ASCII_WHITESPACE.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
