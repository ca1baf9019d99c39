// Asks before it answers, in a box that takes a number; knows `leave CODE` and `die` as well.
import { converse } from './cooked-agent.mjs';

await converse(async (message, { show, say, nextLine }) => {
  const code = /^leave (\d+)$/.exec(message)?.[1];
  if (code !== undefined) process.exit(Number(code));
  if (message === 'die') process.kill(process.pid, 'SIGKILL');
  show(
    [
      '╭─────────────────────╮',
      '│ Delete everything?  │',
      '│ ❯ 1. Yes            │',
      '│   2. No             │',
      '╰─────────────────────╯',
    ].join('\n'),
  );
  say((await nextLine()) === '1' ? 'Deleted.' : 'Kept.');
});
