// An agent that shows what it was started with and does what its lines say: `node probe-agent.mjs REPORT [ARGS…]`.
// It writes a report {pid, args, term, columns, rows, environment} to REPORT, and signals to REPORT.signals.
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [report = '', ...args] = process.argv.slice(2);
const stubborn = args.includes('stubborn');
const exitAt = args.find((arg) => arg.startsWith('exit='))?.slice('exit='.length);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    appendFileSync(`${report}.signals`, `${signal}\n`);
    if (!stubborn) process.exit(0);
  });
}
if (exitAt !== undefined) {
  console.log('  goodbye from the agent');
  process.exitCode = Number(exitAt);
} else {
  console.log('hello from the agent');
  process.stdout.write('> ');
  createInterface({ input: process.stdin }).on('line', (line) => {
    const text = line.replaceAll(/\x1b\[20[01]~/g, '').replaceAll(/.?\x08/g, '');
    const [word, value] = text.trim().split(' ');
    if (word === 'exit') process.exit(Number(value));
    if (word === 'die') process.kill(process.pid, 'SIGKILL');
    process.stdout.write(`said: ${text}\n> `);
  });
}
// Renamed into place: whoever sees the file sees all of it.
writeFileSync(
  `${report}.new`,
  JSON.stringify({
    pid: process.pid,
    args,
    term: process.env.TERM,
    columns: process.stdout.columns,
    rows: process.stdout.rows,
    environment: process.env,
  }),
);
renameSync(`${report}.new`, report);
