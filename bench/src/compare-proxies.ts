import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findLoadGenerator } from './proxies/load.ts';
import type { Load, LoadResult } from './proxies/load.ts';
import { startTargets } from './proxies/targets.ts';
import type { Target } from './proxies/targets.ts';
import { machineLine, writeBlock } from './report.ts';

const USAGE = `Usage: npm run bench-proxy -- [--rounds N] [--seconds N] [--load TEXT] [--only TEXT]

Puts the same load on this proxy with authentication and on other proxies, in turns, in front of one agent server.

  --rounds N    turns, at least 5 for figures to be believed (default 5)
  --seconds N   how long each of them takes its turn (default 1)
  --load TEXT   only loads whose name contains this
  --only TEXT   only these ways, separated by commas
  --write       put the results into docs/performance.md
  --help        show this text
`;

const MB = 1024 ** 2;

/** Half a gigabyte under way at once takes some proxies seconds to begin. */
const PATIENCE = 4;

const LOADS: readonly Load[] = [
  ...[1, 64, 512].map((connections) => load('GET of 220 bytes', '/status', connections)),
  ...[1, 64].map((connections) => load('GET of 1 MB', '/big', connections)),
  ...[1, 64].map((connections) => load('POST of 1 MB', '/upload', connections, MB)),
  // The heaviest comes last: what it leaves behind cannot disturb the others.
  load('GET of 1 MB', '/big', 512),
];

function load(what: string, path: string, connections: number, uploadBytes = 0): Load {
  const name = `${what}, ${connections} ${connections === 1 ? 'connection' : 'connections'}`;
  return { name, path, connections, uploadBytes };
}

interface Row {
  readonly target: Target;
  readonly rounds: LoadResult[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      load: { type: 'string' },
      only: { type: 'string' },
      write: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const rounds = Number(values.rounds ?? 5);
  const seconds = Number(values.seconds ?? 1);
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
  try {
    await using targets = await startTargets(folder);
    const generator = await findLoadGenerator(folder);
    const wanted = values.only?.split(',');
    const ways = targets.all.filter(
      ({ name }) => wanted === undefined || wanted.some((each) => name.includes(each)),
    );
    const report: string[] = [];
    const tell = (text: string): void => {
      console.log(text);
      report.push(text);
    };
    console.log(machineLine());
    tell(`Load from ${generator.name}; ${rounds} rounds of ${seconds} s each.`);
    for (const note of targets.notes) tell(note);
    for (const load of LOADS.filter(({ name }) => name.includes(values.load ?? ''))) {
      const rows: Row[] = ways.map((target) => ({ target, rounds: [] }));
      const turn = seconds * (load.connections > 64 && load.path === '/big' ? PATIENCE : 1);
      for (const { target } of rows) await generator.run(target, load, turn);
      for (let round = 0; round < rounds; round += 1) {
        for (const row of rows) row.rounds.push(await generator.run(row.target, load, turn));
      }
      tell(`\n**${load.name}**\n\n${tableOf(rows)}`);
    }
    if (values.write === true) writeBlock('bench-proxy', report.join('\n'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ratios are taken within each round: what else the machine did fell on both. */
function tableOf(rows: readonly Row[]): string {
  const own = rows.find(({ target }) => target.name === 'agentapi-proxy');
  const straight = rows.find(({ target }) => target.name === 'straight');
  const cells = rows.map((row) => {
    const rates = row.rounds.map(({ requestsPerSecond }) => requestsPerSecond);
    const ratios = row.rounds.map(
      ({ requestsPerSecond }, round) => (own?.rounds[round]?.requestsPerSecond ?? 0) / requestsPerSecond,
    );
    const added = row.rounds.map(({ p50 }, round) => p50 - (straight?.rounds[round]?.p50 ?? 0));
    const failures = row.rounds.reduce((sum, { failures }) => sum + failures, 0);
    return [
      row.target.name,
      spread(rates, 0),
      spread(
        row.rounds.map(({ p50 }) => p50),
        0,
      ),
      row === straight ? '' : spread(added, 0),
      row === own ? '' : spread(ratios, 2),
      row === straight
        ? ''
        : spread(
            row.rounds.map(({ processorTime }) => processorTime),
            1,
          ),
      String(failures),
    ];
  });
  const header = ['', 'requests/s', 'p50 µs', 'added µs', 'ours is ×', 'CPU µs/request', 'failed'];
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(header), rule, ...cells.map(line)].join('\n');
}

/** `minimum / median / maximum`. */
function spread(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return [sorted[0] ?? 0, middle, sorted.at(-1) ?? 0].map((value) => value.toFixed(digits)).join(' / ');
}

await main();
