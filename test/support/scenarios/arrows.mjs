// Answers with signs that look like prompts; its own prompt stands in a box without such a sign.
import { converse } from './cooked-agent.mjs';

const BORDER = '─'.repeat(40);

await converse((_message, { say }) => say('first a\nthen a -> b\nand b -> c'), `${BORDER}\n│ \n${BORDER}\n`);
