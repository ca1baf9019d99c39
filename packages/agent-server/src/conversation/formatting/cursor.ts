import type { AgentFormat } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { echoBoxBottom } from './echo.ts';
import { framedInput } from './input-box.ts';

/** Cursor Agent. */
export const cursor: AgentFormat = {
  echoEnd: echoBoxBottom('┘', '└'),
  inputBox: framedInput,
  readyOnPromptSign: true,
  busy: {
    // `⬡ Thinking.    172 tokens`; the greeting `⬢ Welcome to …` has further words.
    row: /^\s*[⬡⬢] \p{L}+\.{0,3}(?:\s{2,}\d|\s*$)/u,
    reach: 4,
    footer: /\bctrl\+c to stop\b/i,
  },
  choices: [
    // `→ Run (y) (enter)`, `Reject (esc or p)`: each choice ends with its key.
    { chosen: /^→ \S.*\([^()]{1,16}\)$/, other: /^\S.*\([^()]{1,16}\)$/ },
    numberedChoices('→❯'),
  ],
};
