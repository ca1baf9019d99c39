import type { AgentType } from '../../agent-type.ts';
import type { AgentFormat } from './agent-format.ts';
import { aider } from './aider.ts';
import { amazonq } from './amazonq.ts';
import { amp } from './amp.ts';
import { auggie } from './auggie.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { copilot } from './copilot.ts';
import { cursor } from './cursor.ts';
import { custom } from './custom.ts';
import { gemini } from './gemini.ts';
import { goose } from './goose.ts';
import { opencode } from './opencode.ts';

/** The rules of every agent. A new agent is a file beside this one, its name in `agent-type.ts`, and a line here. */
export const AGENT_FORMATS: Readonly<Record<AgentType, AgentFormat>> = {
  claude,
  goose,
  aider,
  codex,
  gemini,
  copilot,
  amp,
  auggie,
  cursor,
  amazonq,
  opencode,
  custom,
};
