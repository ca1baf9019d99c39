// Shows something on the alternate screen for a second, then answers on the ordinary one.
import { converse } from './cooked-agent.mjs';

await converse(async (_message, { write, say, sleep }) => {
  write('\x1b[?1049h\x1b[2J\x1b[HThe other screen\r\n> ');
  await sleep(1_000);
  write('\x1b[?1049l');
  say('Back again.');
});
