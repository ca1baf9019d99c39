import { setTimeout as delay } from 'node:timers/promises';

/**
 * An agent for benches. It shows a greeting; each key starts what stands in its arguments:
 *
 * - `stamps COUNT INTERVAL_MS JITTER_MS` prints lines `<number>@<time>`, with the time of the clock that
 *   all processes of the machine share, in microseconds;
 * - `redraws COUNT INTERVAL_MS` changes one line again and again, then says `finished`;
 * - nothing: nothing.
 */
const [mode = '', count = '0', intervalMs = '0', jitterMs = '0'] = process.argv.slice(2);

async function printStamps(): Promise<void> {
  for (let index = 1; index <= Number(count); index += 1) {
    await delay(Number(intervalMs) + Math.random() * Number(jitterMs));
    process.stdout.write(`${index}@${process.hrtime.bigint() / 1000n}\r\n`);
  }
}

async function redraw(): Promise<void> {
  for (let index = 1; index <= Number(count); index += 1) {
    await delay(Number(intervalMs));
    process.stdout.write(`\r\u001b[KUpdate ${index} of ${count}`);
  }
  process.stdout.write('\r\nfinished\r\n');
}

if (process.stdin.isTTY) process.stdin.setRawMode(true);
process.stdout.write('Scripted agent\r\n');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(0));
process.stdin.on('data', () => {
  if (mode === 'stamps') void printStamps();
  if (mode === 'redraws') void redraw();
});
