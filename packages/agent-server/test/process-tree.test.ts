import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import {
  endProcesses,
  findProcesses,
  identityOf,
  isAlive,
  ProcessTable,
  SESSION_MARKER,
} from '../src/process-tree.ts';
import type { ProcessIdentity } from '../src/process-tree.ts';

const run = promisify(execFile);

/** Longer than any test: whoever waits for it has failed. */
const NEVER_MS = 60_000;

const roots: ProcessIdentity[] = [];

afterEach(async () => {
  for (const root of roots.splice(0)) {
    const { left } = await endProcesses({ find: { roots: [root] }, graceMs: 0 });
    if (left.length > 0) throw new Error('processes of the test cannot be ended');
  }
});

interface Tree {
  readonly child: ChildProcess;
  readonly root: ProcessIdentity;
  /** The next line that the script prints. */
  readonly line: () => Promise<string>;
  readonly exited: Promise<unknown[]>;
}

/** Runs a shell script in a session of its own, like an agent server. */
async function start(script: string, marker?: string): Promise<Tree> {
  const env = { PATH: process.env['PATH'], ...(marker === undefined ? {} : { [SESSION_MARKER]: marker }) };
  const child = spawn('sh', ['-c', script], { detached: true, env, stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const root = await identityOf(child.pid ?? 0);
  if (root === null) throw new Error('the script has no process');
  roots.push(root);
  const line = async (): Promise<string> => {
    const next = await lines.next();
    return next.done === true ? '' : next.value;
  };
  return { child, root, line, exited };
}

async function identity(pidText: string): Promise<ProcessIdentity> {
  const found = await identityOf(Number(pidText));
  if (found === null) throw new Error(`no process ${pidText}`);
  return found;
}

function pidsOf(processes: readonly { readonly pid: number }[]): readonly number[] {
  return processes.map(({ pid }) => pid).toSorted((a, b) => a - b);
}

describe('identity', () => {
  test('DF-27: a pid is alive only together with its start time and boot', async () => {
    const own = await identityOf(process.pid);
    expect(own).toMatchObject({ pid: process.pid });
    if (own === null) return;
    expect(await isAlive(own)).toBe(true);
    expect(await isAlive({ ...own, startTime: '1' })).toBe(false);
    expect(await isAlive({ ...own, bootId: 'another' })).toBe(false);
  });

  test.runIf(process.platform === 'linux')(
    'whoever has no free file descriptor is told so, not that the process is gone',
    async () => {
      const program = new URL('../dist/process-tree.js', import.meta.url).href;
      const script = `
        import { closeSync, openSync } from 'node:fs';
        import { identityOf, isAlive, ProcessTable } from ${JSON.stringify(program)};
        const own = await identityOf(process.pid);
        const table = new ProcessTable();
        const files = [];
        try {
          for (;;) files.push(openSync('/dev/null', 'r'));
        } catch {}
        const answer = await isAlive(own, table).catch((error) => error.code);
        for (const file of files) closeSync(file);
        console.log(answer, await isAlive(own, table));
      `;
      const limited = ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script];
      expect((await run('sh', limited)).stdout).toBe('EMFILE true\n');
    },
  );

  test('a zombie is not alive', async () => {
    const tree = await start('sh -c "exit 0" & echo $!; exec sleep 1000');
    const zombie = await identity(await tree.line());
    await expect.poll(() => isAlive(zombie)).toBe(false);
    expect(await identityOf(zombie.pid)).toEqual(zombie);
    expect(pidsOf(await findProcesses({ roots: [tree.root] }))).toEqual([tree.root.pid]);
  });
});

describe('findProcesses', () => {
  test('DF-24: finds children with a session or a group of their own, without the marker too', async () => {
    const tree = await start(
      'bash -c "set -m; sleep 1000 & echo \\$!; wait" & env -i setsid sleep 1000 & echo $!; env -i setsid sh -c "sleep 1000 & wait" & wait',
    );
    const pids = [Number(await tree.line()), Number(await tree.line())];
    const shape = async (): Promise<unknown> => {
      const found = await findProcesses({ roots: [tree.root] });
      expect(pidsOf(found)).toEqual(expect.arrayContaining([tree.root.pid, ...pids]));
      const inSession = found.filter(({ sessionId }) => sessionId === tree.root.pid);
      const groupLeaders = inSession.filter(({ pid, groupId }) => pid === groupId);
      return [found.length, inSession.length, groupLeaders.length];
    };
    // The script, bash and its job of its own group; a process and two more in sessions of their own.
    await expect.poll(shape).toEqual([6, 3, 2]);
  });

  test('finds a daemon that has left everything but its environment', async () => {
    const marker = `test-daemon-${process.pid}`;
    const tree = await start('setsid sh -c "sleep 1000 & echo \\$!"', marker);
    const daemon = Number(await tree.line());
    await tree.exited;
    expect(pidsOf(await findProcesses({ roots: [tree.root] }))).toEqual([]);
    const query = { marker: { value: marker, match: 'equal' }, roots: [tree.root] } as const;
    await expect.poll(async () => pidsOf(await findProcesses(query))).toEqual([daemon]);
    expect((await endProcesses({ find: query, graceMs: NEVER_MS })).left).toEqual([]);
  });

  test('finds what a dead root left behind in its session', async () => {
    const tree = await start('env -i sleep 1000 & echo $!');
    const left = Number(await tree.line());
    await tree.exited;
    expect(pidsOf(await findProcesses({ roots: [tree.root] }))).toEqual([left]);
    const { ended } = await endProcesses({ find: { roots: [tree.root] }, graceMs: NEVER_MS });
    expect(pidsOf(ended)).toEqual([left]);
  });

  test('calls while the table is being read share the next reading', async () => {
    const table = new ProcessTable();
    const first = table.list();
    const second = table.list();
    expect(second).not.toBe(first);
    expect(table.list()).toBe(second);
    const [earlier, later] = await Promise.all([first, second]);
    expect(later).not.toBe(earlier);
    expect(later.some(({ pid }) => pid === process.pid)).toBe(true);
  });
});

describe('endProcesses', () => {
  test('PX-127: SIGTERM comes first, and whoever obeys ends by itself', async () => {
    const tree = await start('trap "echo goodbye; exit 7" TERM; echo ready; while :; do sleep 0.01; done');
    await tree.line();
    const report = await endProcesses({ find: { roots: [tree.root] }, graceMs: NEVER_MS });
    expect(report.left).toEqual([]);
    expect(await tree.line()).toBe('goodbye');
    expect(await tree.exited).toEqual([7, null]);
  });

  test('PX-127: an agent in a session of its own may finish before its server is told to end', async () => {
    const tree = await start(
      `trap 'echo server; exit' TERM
       setsid sh -c 'trap "sleep 0.3; echo agent; exit" TERM; echo ready; while :; do sleep 0.01; done' &
       while :; do sleep 0.01; done`,
    );
    await tree.line();
    await endProcesses({ find: { roots: [tree.root] }, graceMs: NEVER_MS });
    expect([await tree.line(), await tree.line()]).toEqual(['agent', 'server']);
  });

  test('DF-24: whoever ignores SIGTERM is killed, with all children', async () => {
    const tree = await start(`trap '' TERM; echo ready; while :; do sleep 1000; done`);
    await tree.line();
    const report = await endProcesses({ find: { roots: [tree.root] }, graceMs: 50 });
    expect(report.left).toEqual([]);
    expect(report.ended.length).toBeGreaterThanOrEqual(2);
    expect(await tree.exited).toEqual([null, 'SIGKILL']);
  });

  test('an abort ends the grace period', async () => {
    const tree = await start(`trap '' TERM; echo ready; while :; do sleep 1000; done`);
    await tree.line();
    const abort = new AbortController();
    const ending = endProcesses({ find: { roots: [tree.root] }, graceMs: NEVER_MS, signal: abort.signal });
    abort.abort();
    expect((await ending).left).toEqual([]);
    expect(await tree.exited).toEqual([null, 'SIGKILL']);
  });

  test('what starts while the others end is found and ended too', async () => {
    const marker = `test-late-${process.pid}`;
    const tree = await start(
      'trap "setsid sleep 1000 & exit" TERM; echo ready; while :; do sleep 0.01; done',
      marker,
    );
    await tree.line();
    const find = { marker: { value: marker, match: 'equal' }, roots: [tree.root] } as const;
    expect((await endProcesses({ find, graceMs: NEVER_MS })).left).toEqual([]);
    expect(await findProcesses(find)).toEqual([]);
  });

  test('a stopped process is continued, so that it can obey', async () => {
    const tree = await start('exec sleep 1000');
    process.kill(tree.root.pid, 'SIGSTOP');
    const table = new ProcessTable();
    await expect.poll(async () => (await table.read(tree.root.pid))?.isStopped).toBe(true);
    await endProcesses({ find: { roots: [tree.root] }, graceMs: NEVER_MS });
    expect(await tree.exited).toEqual([null, 'SIGTERM']);
  });

  test('DF-27: another program with the pid of a root is left alone', async () => {
    const tree = await start('exec sleep 1000');
    const report = await endProcesses({ find: { roots: [{ ...tree.root, startTime: '1' }] }, graceMs: 0 });
    expect(report).toEqual({ ended: [], left: [] });
    expect(await isAlive(tree.root)).toBe(true);
  });

  test('many runs end at the same time, each only its own', async () => {
    const table = new ProcessTable();
    const trees = await Promise.all(Array.from({ length: 12 }, () => start('sleep 1000 & sleep 1000')));
    const [spared, ...others] = trees;
    await Promise.all(
      others.map((tree) => endProcesses({ find: { roots: [tree.root] }, graceMs: NEVER_MS, table })),
    );
    for (const { root } of others) expect(await findProcesses({ roots: [root] }, table)).toEqual([]);
    expect(spared !== undefined && (await isAlive(spared.root))).toBe(true);
  });
});
