import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { identityOf, ProcessTable } from '@agentapi-proxy/agent-server/process-tree';
import { expect, test } from 'vitest';
import { AliveWatch } from './alive-watch.ts';

/** A process table that cannot be read the first times, as when there is no free file descriptor. */
class FailingTable extends ProcessTable {
  failures = 0;
  readings = 0;

  override async read(pid: number): ReturnType<ProcessTable['read']> {
    if (this.failures < 2) {
      this.failures += 1;
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    }
    const status = await super.read(pid);
    this.readings += 1;
    return status;
  }
}

test('a process that nobody can look at is not gone; it is asked for again', async () => {
  const table = new FailingTable();
  using watch = new AliveWatch(table);
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    const identity = await identityOf(child.pid ?? 0);
    if (identity === null) throw new Error('it has no process');
    expect(await watch.lives(identity)).toBe(true);
    let isGone = false;
    const untilGone = async (): Promise<void> => {
      await watch.untilGone(identity, new AbortController().signal);
      isGone = true;
    };
    const gone = untilGone();
    await expect.poll(() => table.readings).toBeGreaterThan(0);
    expect([table.failures, isGone]).toEqual([2, false]);
    child.kill('SIGKILL');
    await exited;
    await gone;
  } finally {
    child.kill('SIGKILL');
  }
});
