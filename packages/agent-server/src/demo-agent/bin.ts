#!/usr/bin/env node
import { StringDecoder } from 'node:string_decoder';
import { DemoAgent } from './demo-agent.ts';

/** Size of an output that is no terminal. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function main(): void {
  const { stdin, stdout, env } = process;
  const agent = new DemoAgent({
    write: (text) => stdout.write(text),
    columns: stdout.columns || DEFAULT_COLUMNS,
    rows: stdout.rows || DEFAULT_ROWS,
    shell: { shell: env['SHELL'] || '/bin/sh', cwd: process.cwd(), env },
    onExit: (code) => void end(code),
  });

  let isEnding = false;
  async function end(how: number | NodeJS.Signals): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    await agent[Symbol.asyncDispose]();
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.destroy();
    for (const signal of SIGNALS) process.removeAllListeners(signal);
    // Ended by the signal, as whoever sent it expects to see.
    if (typeof how === 'string') process.kill(process.pid, how);
    else process.exitCode = how;
  }

  for (const signal of SIGNALS) process.once(signal, () => void end(signal));
  // The terminal may go away at any time; there is nobody left then to show anything to.
  stdout.on('error', () => void end('SIGHUP'));
  stdin.on('error', () => void end(0));
  stdin.on('end', () => void end(0));
  stdout.on('resize', () => agent.resize(stdout.columns, stdout.rows));

  // Before anything is read: until then the terminal edits and echoes lines itself.
  if (stdin.isTTY) stdin.setRawMode(true);
  const decoder = new StringDecoder('utf8');
  // Without a terminal a line ends with LF, and there is no Enter key.
  const enter = stdin.isTTY ? '\n' : '\r';
  stdin.on('data', (chunk: Buffer) => agent.handleInput(decoder.write(chunk).replaceAll('\n', enter)));
  agent.start();
}

main();
