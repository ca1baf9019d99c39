// Says what it was told.
import { converse } from './cooked-agent.mjs';

await converse((message, { say }) => say(`You said: ${message}`));
