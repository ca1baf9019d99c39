// Answers with six lines, one every 400 ms.
import { converse } from './cooked-agent.mjs';

await converse(async (_message, { show, say, sleep }) => {
  for (let i = 1; i < 6; i += 1) {
    show(`line ${i}`);
    await sleep(400);
  }
  say('line 6');
});
