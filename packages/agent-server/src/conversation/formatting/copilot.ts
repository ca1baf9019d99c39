import type { AgentFormat } from './agent-format.ts';
import { numberedChoices } from './choices.ts';
import { echoBoxBottom } from './echo.ts';
import { framedInput } from './input-box.ts';

/** GitHub Copilot CLI. */
export const copilot: AgentFormat = {
  echoEnd: echoBoxBottom('╰', '╯'),
  inputBox: framedInput,
  readyOnPromptSign: true,
  busy: { row: /^\s*[∙·•●◉◎○◐◓◑◒] \S.*\([^()]*\besc to (?:cancel|interrupt)\b/i, reach: 4 },
  choices: [numberedChoices('❯')],
};
