import { fileURLToPath } from 'node:url';

/** Program and first argument of the scripted agent; what it is to do follows (see scripted-agent.ts). */
export const SCRIPTED_AGENT: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('scripted-agent.js', import.meta.url)),
];
