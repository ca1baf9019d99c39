import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { HAS_FIGURES, processorMsOf } from '../process-figures.ts';
import { findProgram } from './targets.ts';
import type { Target } from './targets.ts';

/** What the clients do, all of them the same. */
export interface Load {
  readonly name: string;
  readonly path: string;
  readonly connections: number;
  /** Size of the body that each request carries; 0 = a GET. */
  readonly uploadBytes: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  /** Median of the latencies, in microseconds. */
  readonly p50: number;
  readonly failures: number;
  /** Processor time that the way itself took for a request, in microseconds; 0 where there is nothing in between. */
  readonly processorTime: number;
}

/** What a generator sees. */
type Seen = Omit<LoadResult, 'processorTime'> & { readonly requests: number };

/** Something that makes load. */
export type LoadGenerator = (target: Target, load: Load, seconds: number) => Promise<LoadResult>;

/** `wrk` when it is installed; else a generator of our own, which takes more of the machine. */
export async function findLoadGenerator(folder: string): Promise<{ name: string; run: LoadGenerator }> {
  const program = findProgram('wrk');
  if (program === null) return { name: 'the bench itself (wrk is not installed)', run: measured(runOwn) };
  const script = join(folder, 'upload.lua');
  await writeFile(
    script,
    'function init(args) wrk.method = "POST"; wrk.body = string.rep("x", tonumber(args[1])) end\n',
  );
  return {
    name: 'wrk',
    run: measured((target, load, seconds) => runWrk(program, script, target, load, seconds)),
  };
}

function measured(run: (target: Target, load: Load, seconds: number) => Promise<Seen>): LoadGenerator {
  return async (target, load, seconds) => {
    const before = usedBy(target);
    const seen = await run(target, load, seconds);
    return { ...seen, processorTime: ((usedBy(target) - before) * 1_000) / seen.requests };
  };
}

/** Processor time so far in milliseconds; 0 where it cannot be read. */
function usedBy({ pid }: Target): number {
  return pid === 0 || !HAS_FIGURES ? 0 : processorMsOf(pid);
}

async function runWrk(
  program: string,
  script: string,
  target: Target,
  { path, connections, uploadBytes }: Load,
  seconds: number,
): Promise<Seen> {
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const child = spawn(
    program,
    [
      ...[
        '-t',
        '1',
        '-c',
        String(connections),
        '-d',
        `${seconds}s`,
        '--latency',
        '--timeout',
        '20s',
        ...headers,
      ],
      ...(uploadBytes > 0 ? ['-s', script] : []),
      `http://127.0.0.1:${target.port}${target.prefix}${path}`,
      ...(uploadBytes > 0 ? ['--', String(uploadBytes)] : []),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const output = (await child.stdout.setEncoding('utf8').toArray()).join('');
  if (child.exitCode === null) await once(child, 'exit');
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  const median = /50%\s+([\d.]+)(us|ms|s)/.exec(output);
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1];
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  if (rate === undefined || median === null) throw new Error(`wrk said:\n${output}`);
  const unit = { us: 1, ms: 1_000, s: 1_000_000 }[median[2] ?? 'us'] ?? 1;
  const failures = Number(refused ?? 0) + (errors?.slice(1).reduce((sum, n) => sum + Number(n), 0) ?? 0);
  return { requestsPerSecond: Number(rate), p50: Number(median[1]) * unit, failures, requests };
}

async function runOwn(target: Target, load: Load, seconds: number): Promise<Seen> {
  const { path, connections, uploadBytes } = load;
  const lines = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const method = uploadBytes > 0 ? 'POST' : 'GET';
  const length = uploadBytes > 0 ? `Content-Length: ${uploadBytes}\r\n` : '';
  const request = Buffer.concat([
    Buffer.from(
      `${method} ${target.prefix}${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}${length}\r\n`,
    ),
    Buffer.alloc(uploadBytes, 0x78),
  ]);
  const latencies: number[] = [];
  let failures = 0;
  const deadline = performance.now() + seconds * 1_000;
  const one = async (): Promise<void> => {
    const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
    let since = performance.now();
    let left = 0;
    const next = (): void => {
      since = performance.now();
      socket.write(request);
    };
    socket.on('error', () => {
      failures += 1;
    });
    socket.on('data', (chunk: Buffer) => {
      if (left === 0) {
        const text = chunk.toString('latin1', 0, 2_048);
        const end = text.indexOf('\r\n\r\n');
        if (!text.startsWith('HTTP/1.1 2')) failures += 1;
        left = end + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
      }
      left -= chunk.length;
      if (left > 0) return;
      latencies.push((performance.now() - since) * 1_000);
      if (performance.now() > deadline) socket.destroy();
      else next();
    });
    next();
    await once(socket, 'close');
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, one));
  latencies.sort((a, b) => a - b);
  const elapsed = (performance.now() - start) / 1_000;
  const p50 = latencies[Math.floor(latencies.length / 2)] ?? 0;
  return { requestsPerSecond: latencies.length / elapsed, p50, failures, requests: latencies.length };
}
