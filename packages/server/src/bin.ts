#!/usr/bin/env node
import { runCommandLine } from './cli/program.ts';
import { StandardOutput } from './cli/standard-output.ts';

const output = new StandardOutput(process.stdout);
// There is nobody left to tell, and a server must not end, and leave its sessions, because its log's reader did.
process.stderr.on('error', () => undefined);

const exitCode = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  workingDirectory: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  openStreams: () => process,
  signals: process,
  // eslint-disable-next-line unicorn/no-process-exit -- the last resort of a second signal or a stuck shutdown
  exitNow: (code) => process.exit(code),
  loadApp: () => import('./app.ts'),
  runAgentServer: async (args) => {
    const { contextOf, runCommandLine: runAgentCommandLine } =
      await import('@agentapi-proxy/agent-server/command-line');
    process.exitCode = await runAgentCommandLine('agentapi-proxy agent', args, contextOf(process));
  },
});
if (exitCode !== null) {
  // What a server prints is no answer: how it ended tells whether anything is left running.
  const isServer = process.argv[2] === 'server';
  process.exitCode = isServer
    ? exitCode
    : await output.exitCodeOf(exitCode, (line) => void process.stderr.write(`${line}\n`));
}
