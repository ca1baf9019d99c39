import { parseArgs } from 'node:util';
import type { Bench, BenchResult } from './bench.ts';
import { authenticatedRequest } from './benches/authenticated-request.ts';
import { webConsole } from './benches/console.ts';
import { eventLatency } from './benches/event-latency.ts';
import { eventStreams } from './benches/event-streams.ts';
import { idleProcessor } from './benches/idle-processor.ts';
import { manySessions } from './benches/many-sessions.ts';
import { memory } from './benches/memory.ts';
import { memoryGrowth } from './benches/memory-growth.ts';
import { overload } from './benches/overload.ts';
import { proxiedRequest } from './benches/proxied-request.ts';
import { readyToServe } from './benches/ready-to-serve.ts';
import { restart } from './benches/restart.ts';
import { search } from './benches/search.ts';
import { sessionStart } from './benches/session-start.ts';
import { soak } from './benches/soak.ts';
import { viewers } from './benches/viewers.ts';
import { machineLine, resultTable, writeDocument } from './report.ts';

const BENCHES: readonly Bench[] = [
  sessionStart,
  manySessions,
  proxiedRequest,
  authenticatedRequest,
  search,
  restart,
  overload,
  eventStreams,
  soak,
  memory,
  readyToServe,
  idleProcessor,
  eventLatency,
  viewers,
  memoryGrowth,
  webConsole,
];

const NAME_WIDTH = Math.max(...BENCHES.map(({ name }) => name.length));

const USAGE = `Usage: npm run bench -- [--write] [--long] [--minutes N] [NAME…]

Runs all benches, or those that are named:
${BENCHES.map(({ name, title }) => `  ${name.padEnd(NAME_WIDTH)} ${title}`).join('\n')}

  --write      put the results into docs/performance.md
  --long       ten minutes of screen updates instead of one, an hour of mixed traffic
  --minutes N  so many minutes of mixed traffic
  --help       show this text
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      write: { type: 'boolean' },
      long: { type: 'boolean' },
      minutes: { type: 'string' },
      help: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const minutes = values.minutes === undefined ? null : Number(values.minutes);
  if (minutes !== null && !(minutes > 0)) {
    process.stderr.write(`--minutes needs a number above 0.\n\n${USAGE}`);
    return 2;
  }
  const unknown = positionals.filter((name) => BENCHES.every((bench) => bench.name !== name));
  if (unknown.length > 0) {
    process.stderr.write(`No bench is called ${unknown.join(', ')}.\n\n${USAGE}`);
    return 2;
  }
  const chosen = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results = new Map<Bench, BenchResult>();
  console.log(machineLine());
  for (const bench of chosen) {
    console.log(`\n${bench.title} (${bench.name})\n`);
    const result = await bench.run({
      long: values.long ?? false,
      minutes,
      progress: (text) => process.stderr.write(`  ${text}\n`),
    });
    console.log(resultTable(result));
    results.set(bench, result);
  }
  if (values.write === true) writeDocument(results);
  return 0;
}

process.exitCode = await main();
