#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';

// A reader that leaves, e.g. `| head`, must not end the agent.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

process.exitCode = await runCommandLine('agentapi-proxy-agent', process.argv.slice(2), {
  environment: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  writeOut: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
});
