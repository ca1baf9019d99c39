// Answers with characters of two columns and of none.
import { converse } from './cooked-agent.mjs';

await converse((message, { say }) => say(`日本語 한국어 e\u0301 👍\nund größer: ${message}`));
