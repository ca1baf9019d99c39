// Gives the same answer to everything.
import { converse } from './cooked-agent.mjs';

await converse((_message, { say }) => say('Always the same.'));
