import type { AgentType } from '../../agent-type.ts';
import type { ToolCallRemoval } from './agent-format.ts';
import { dialogIn } from './choices.ts';
import { lastEchoLine } from './echo.ts';
import { AGENT_FORMATS } from './registry.ts';
import { linesOf, withoutOuterBlankLines } from '../text-lines.ts';

/** `text` without the echo of `userText` and all above it (agentapi section 5.2); unchanged when none is found. */
export function removeEcho(type: AgentType, text: string, userText: string): string {
  const lines = linesOf(text);
  const rest = afterEcho(type, lines, userText);
  return rest === lines ? text : rest.join('\n');
}

function afterEcho(type: AgentType, lines: readonly string[], userText: string): readonly string[] {
  const last = lastEchoLine(lines, userText);
  if (last === -1) return lines;
  return lines.slice((AGENT_FORMATS[type].echoEnd?.(lines, last) ?? last) + 1);
}

/**
 * The agent's message in a part of its screen: without the echo of the user's last message (`userText`, empty
 * for none), without the input box, and without blank lines at both ends (agentapi section 5.1).
 *
 * Linear: the text is split, searched and joined once; rules look at each row a bounded number of times.
 */
export function formatAgentMessage(type: AgentType, text: string, userText: string): string {
  const format = AGENT_FORMATS[type];
  const lines = afterEcho(type, linesOf(text), userText);
  const found = format.inputBox(lines);
  // A dialog takes the place of the box and must be seen whole: what looks like a box is a part of it.
  const box = found === null || dialogIn(lines, format) !== null ? null : found;
  const rest = box === null ? lines : [...lines.slice(0, box.start), ...lines.slice(box.end)];
  if (format.emptyText !== undefined && (rest.length === 0 || (rest.length === 1 && rest[0] === ''))) {
    return format.emptyText;
  }
  const message = withoutOuterBlankLines(rest);
  if (format.answerText === undefined) return message.join('\n');
  return withoutOuterBlankLines(format.answerText(message)).join('\n');
}

/**
 * Takes an agent's reports to its own tool server out of a formatted message (agentapi section 5.5): they are
 * addressed to a program and would only be noise in a conversation. Types without such a rule keep their text.
 */
export function removeToolCalls(type: AgentType, text: string): ToolCallRemoval {
  return AGENT_FORMATS[type].removeToolCalls?.(text) ?? { text, calls: [] };
}
