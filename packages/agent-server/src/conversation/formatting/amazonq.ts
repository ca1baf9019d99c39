import type { AgentFormat } from './agent-format.ts';
import { genericInput } from './input-box.ts';

/** Amazon Q. Its questions `[y/n/t]` are answered by a line of text at the prompt, so they are not dialogs. */
export const amazonq: AgentFormat = {
  inputBox: genericInput,
  readyOnPromptSign: true,
  busy: { row: /^\s*[⠁-⣿] Thinking\b/, reach: 2 },
  choices: [],
};
