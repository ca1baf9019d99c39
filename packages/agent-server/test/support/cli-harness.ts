import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { controlReportSchema, type ControlReport } from '../../src/control.ts';
import { asRecord, callServer, eventually, type Call, type Reply } from './http-harness.ts';

/** The built command. */
const COMMAND = fileURLToPath(new URL('../../dist/program/bin.js', import.meta.url));
const PROBE = fileURLToPath(new URL('probe-agent.mjs', import.meta.url));

export interface RunOptions {
  /** `closed` is an end of input at once, `silent` a pipe that stays open. */
  readonly stdin?: 'closed' | 'silent' | { readonly text: string };
  readonly environment?: Readonly<Record<string, string>>;
  /** Opens a control channel on descriptor 3. */
  readonly supervised?: boolean;
}

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}

/** One running command; disposing kills it and its probe agent, and removes its folder. */
export interface CliRun extends AsyncDisposable {
  readonly pid: number;
  /** The run's own temporary folder, also its TMPDIR and working directory. */
  readonly folder: string;
  readonly ended: Promise<End>;
  out(): string;
  kill(signal: NodeJS.Signals): void;
  /** The port from the log, once it stands there. */
  port(): Promise<number>;
  call(call: Call): Promise<Reply>;
  /** What the probe agent reported, once it did. */
  probe(): Promise<ProbeReport>;
  /** Signals that the probe agent received. */
  probeSignals(): Promise<readonly string[]>;
  /** The control channel; only when supervised. */
  readonly channel: TestChannel;
}

export interface TestChannel {
  send(command: object): void;
  readonly reports: readonly ControlReport[];
  /** The first report of a kind. */
  next<K extends ControlReport['kind']>(kind: K): Promise<Extract<ControlReport, { kind: K }>>;
  close(): void;
}

export interface ProbeReport {
  readonly pid: number;
  readonly args: readonly unknown[];
  readonly term: unknown;
  readonly columns: unknown;
  readonly rows: unknown;
  readonly environment: Readonly<Record<string, unknown>>;
}

/**
 * Runs the command. In `args`, `PROBE` stands for the probe agent's command line and its report
 * file, and `DIR` at the beginning of an argument for the run's folder.
 */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<CliRun> {
  const { stdin = 'closed', environment = {}, supervised = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-cli-test-'));
  const report = join(folder, 'probe.json');
  const line = args.flatMap((arg) =>
    arg === 'PROBE' ? [process.execPath, PROBE, report] : [arg.replace(/^DIR/u, folder)],
  );
  const child = spawn(process.execPath, [COMMAND, ...line], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, ...environment },
    stdio: [stdin === 'closed' ? 'ignore' : 'pipe', 'pipe', 'pipe', ...(supervised ? ['pipe' as const] : [])],
  });
  if (typeof stdin === 'object') child.stdin?.end(stdin.text);
  const output = { out: '', error: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output.out += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output.error += chunk));
  const ended = new Promise<End>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  const port = async () => {
    await eventually(() => portIn(output.out) !== undefined || child.exitCode !== null);
    const found = portIn(output.out);
    if (found === undefined) throw new Error(`the server has ended: ${output.out}${output.error}`);
    return found;
  };
  const probe = async () => {
    await eventually(() => existsSync(report));
    return probeReport(asRecord(JSON.parse(await readFile(report, 'utf8'))));
  };
  return {
    pid: child.pid ?? 0,
    folder,
    ended,
    out: () => output.out,
    kill: (signal) => void child.kill(signal),
    port,
    call: async (call) => callServer(await port(), call),
    probe,
    probeSignals: async () =>
      existsSync(`${report}.signals`) ? (await readFile(`${report}.signals`, 'utf8')).trim().split('\n') : [],
    channel: testChannel(child),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      child.stdin?.destroy();
      await ended;
      if (existsSync(report)) killIfAlive((await probe()).pid);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a command that ends by itself. */
export async function runToEnd(args: readonly string[], options: RunOptions = {}): Promise<End> {
  await using run = await runCli(args, options);
  return await run.ended;
}

/** Holds a loopback port until disposed. */
export async function takePort(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone, as it should be.
  }
}

function portIn(log: string): number | undefined {
  const text = /msg="Server started" port=(\d+)/u.exec(log)?.[1];
  return text === undefined ? undefined : Number(text);
}

function testChannel(child: ChildProcess): TestChannel {
  const stream = child.stdio[3];
  const reports: ControlReport[] = [];
  if (isDuplex(stream)) {
    let rest = '';
    stream.on('error', () => {});
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) reports.push(controlReportSchema.parse(JSON.parse(line)));
    });
  }
  return {
    reports,
    send: (command) => {
      if (isDuplex(stream)) stream.write(`${JSON.stringify(command)}\n`);
    },
    next: async (kind) => {
      const find = () => reports.find((report) => report.kind === kind);
      await eventually(() => find() !== undefined);
      const report = find();
      if (!isKind(report, kind)) throw new Error(`no report of kind ${kind}`);
      return report;
    },
    close: () => {
      if (isDuplex(stream)) stream.destroy();
    },
  };
}

function isKind<K extends ControlReport['kind']>(
  report: ControlReport | undefined,
  kind: K,
): report is Extract<ControlReport, { kind: K }> {
  return report?.kind === kind;
}

function isDuplex(stream: unknown): stream is Duplex {
  return typeof stream === 'object' && stream !== null && 'write' in stream && 'read' in stream;
}

function probeReport(value: Record<string, unknown>): ProbeReport {
  const { pid, args, term, columns, rows, environment } = value;
  if (typeof pid !== 'number' || !Array.isArray(args)) throw new Error('not a report of the probe agent');
  return { pid, args, term, columns, rows, environment: asRecord(environment) };
}
