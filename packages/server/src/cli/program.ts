import { Command, CommanderError } from 'commander';
import { packageVersion } from '../version.ts';
import { type CliContext, EXIT } from './cli-context.ts';
import type { ServerFlags } from './server-command.ts';

/**
 * Runs one command line and answers its exit code; `null` when the command sets the code itself. Nothing
 * ends the process. No arguments: help on standard output (PX-005); anything unknown: message and usage on
 * standard error (PX-004).
 */
export async function runCommandLine(args: readonly string[], context: CliContext): Promise<number | null> {
  // Its arguments are not ours: neither --help nor -- may be taken out of them.
  if (args[0] === 'agent') {
    await context.runAgentServer(args.slice(1));
    return null;
  }
  let exitCode: number = EXIT.ok;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode;
  }
  return exitCode;
}

function createProgram(context: CliContext, setExitCode: (code: number) => void): Command {
  const program = new Command('agentapi-proxy')
    .description('Run many coding agents behind one HTTP API')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .showHelpAfterError()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
  program
    .command('server')
    .description('Run the server')
    .option('-p, --port <number>', 'TCP port to listen on (default: 8080)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('-c, --config <file>', 'JSON configuration file (default: config.json, if there is one)')
    .option('-v, --verbose', 'log at level debug')
    .addHelpText(
      'after',
      '\nEvery field of the file has an environment variable too: see docs/configuration.md.',
    )
    .action(async (flags: ServerFlags) => {
      const { runServer } = await import('./server-command.ts');
      setExitCode(await runServer(flags, context));
    });
  program
    .command('agent')
    .description('Run the embedded agent server by itself: agent server [flags] -- COMMAND [ARGS…]')
    .argument('[args...]', 'arguments of the agent server');
  return program;
}
