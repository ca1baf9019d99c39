import type { AgentFormat } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { genericInput } from './input-box.ts';

/** Any program that is not known by name. */
export const custom: AgentFormat = {
  inputBox: genericInput,
  readyOnPromptSign: true,
  // A turning sign with the word that our demonstration agent uses, or with the key that many programs name; the
  // last word of that may be on the next row.
  busy: {
    row: /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Working|^\s*(?:[⠁-⣿]\s.*)?\([^()]*\besc to (?:cancel|interrupt)\b|^\s*[⠁-⣿].*\([^()]*\besc to\s*$/,
    reach: 4,
  },
  choices: [numberedChoices('❯›●')],
};
