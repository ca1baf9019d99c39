// Prints a megabyte, which scrolls away, and answers.
import { converse } from './cooked-agent.mjs';

await converse((_message, { write, say }) => {
  for (let sent = 0; sent < 1_000_000; sent += 72) write(`${String(sent).padEnd(70, '.')}\n`);
  say('That was a megabyte.');
});
