import type { AgentFormat } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { framedInput } from './input-box.ts';

/** Auggie. */
export const auggie: AgentFormat = {
  inputBox: framedInput,
  readyOnPromptSign: true,
  // `⠞ Processing response... (2s • esc to interrupt)`; the footer names the same keys at all times.
  busy: { row: /^\s*[⠁-⣿] \S.*\([^()]*\besc to interrupt\)/i, reach: 4 },
  choices: [numberedChoices('❯›●')],
};
