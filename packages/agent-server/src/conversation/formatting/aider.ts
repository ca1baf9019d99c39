import type { AgentFormat } from './agent-format.ts';
import { genericInput } from './input-box.ts';

/** Aider. Its questions `(Y)es/(N)o` are answered by a line of text, so they are not dialogs. */
export const aider: AgentFormat = {
  inputBox: genericInput,
  readyOnPromptSign: true,
  busy: { row: /^\s*[░▒▓█]+\s+(?:Waiting for|Thinking|Updating)\b/, reach: 2 },
  choices: [],
};
