#!/usr/bin/env node
import { runCommandLine } from './cli/program.ts';

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
if (exitCode !== null) process.exitCode = exitCode;
