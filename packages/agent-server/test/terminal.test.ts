import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { AgentTerminal } from '../src/terminal/agent-terminal.ts';
import { spawnPty } from '../src/terminal/pty.ts';

const PLACE = {
  cwd: tmpdir(),
  env: { PATH: process.env['PATH'] ?? '' },
  columns: 80,
  rows: 24,
  terminalName: 'vt100',
};

/** Runs a shell command and collects its output until it has ended. */
async function run(script: string): Promise<{ output: string; code: number | null; signal: string | null }> {
  let output = '';
  const pty = spawnPty({ ...PLACE, command: 'sh', args: ['-c', script], onData: (data) => (output += data) });
  return { ...(await pty.exited), output };
}

/** A terminal that shows what a Node program prints. */
function terminalOf(program: string): AgentTerminal {
  return new AgentTerminal({
    ...PLACE,
    command: process.execPath,
    args: ['-e', program],
    gapMs: 16,
    tries: 3,
    intervalMs: 25,
  });
}

describe('a program in a pseudo-terminal', () => {
  test('exit codes and signals are reported', async () => {
    expect(await run('exit 7')).toMatchObject({ code: 7, signal: null });
    expect(await run('kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test('the output of a program that ends at once is complete', async () => {
    const runs = await Promise.all(Array.from({ length: 24 }, () => run('seq 1 500; printf end')));
    for (const { output } of runs) expect(output.replaceAll('\r', '').endsWith('499\n500\nend')).toBe(true);
  });

  test('a megabyte before the end is complete', async () => {
    const { output } = await run(
      'i=0; while [ $i -lt 20 ]; do head -c 50000 /dev/zero | tr "\\0" x; echo; i=$((i+1)); done',
    );
    expect(output.replaceAll(/[\r\n]/g, '')).toHaveLength(1_000_000);
  });

  test('bytes that are not UTF-8 become U+FFFD', async () => {
    expect((await run("printf 'a\\377b'")).output).toBe('a\ufffdb');
  });

  test('writing to a program that does not read blocks nobody', async () => {
    const pty = spawnPty({ ...PLACE, command: 'sleep', args: ['60'], onData: () => {} });
    pty.write('x'.repeat(1_000_000));
    pty.signal('SIGKILL');
    expect(await pty.exited).toEqual({ code: null, signal: 'SIGKILL' });
    pty.write('after the end');
    pty.resize(10, 10);
    pty.signal('SIGTERM');
  });
});

describe('a terminal', () => {
  test('the last output of a fast program is on the screen when it has ended', async () => {
    const terminal = terminalOf(
      'for (let i = 0; i < 30000; i += 1) console.log("row", i); console.log("the end")',
    );
    await terminal.exited;
    expect(terminal.read().text).toContain('row 29999');
    expect(terminal.read().text).toContain('the end');
    await terminal.stop('SIGTERM', 0);
  });

  test('stopping ends the whole process group', async () => {
    const terminal = terminalOf(
      `process.on('SIGHUP', () => {});
       const child = require('node:child_process').spawn('sleep', ['60'], { stdio: 'ignore' });
       console.log('child', child.pid, 'end');`,
    );
    while (!/child \d+ end/.test(terminal.read().text)) {
      await new Promise<void>((resolve) => {
        const off = terminal.onOutput(() => {
          off();
          resolve();
        });
      });
    }
    const child = Number(/child (\d+) end/.exec(terminal.read().text)?.[1]);
    await terminal.stop('SIGTERM', 1_000);
    await expect.poll(() => isRunning(child)).toBe(false);
  });

  test('the size changes for the program too', async () => {
    const terminal = terminalOf(
      `process.stdout.on('resize', () => { console.log(process.stdout.getWindowSize()); process.exit() });
       console.log('up'); setInterval(() => {}, 1000)`,
    );
    const off = terminal.onOutput(() => {
      if (!terminal.read().text.includes('up')) return;
      off();
      terminal.resize(90, 30);
    });
    await terminal.exited;
    expect(terminal.read().text).toContain('[ 90, 30 ]');
    await terminal.stop('SIGTERM', 0);
  });
});

/** A process that has ended stays in the list until its parent asks for it: `Z`. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}
