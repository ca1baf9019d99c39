// Paints a bar over and over in one row, takes it away and answers.
import { converse } from './cooked-agent.mjs';

await converse(async (_message, { write, say, sleep }) => {
  for (let i = 1; i <= 30; i += 1) {
    write(`\r\x1b[K[${'#'.repeat(i).padEnd(30)}] ${'|/-\\'.charAt(i % 4)}`);
    await sleep(40);
  }
  write('\r\x1b[K');
  say('All done.');
});
