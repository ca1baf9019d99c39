import { Argument, Command, CommanderError } from 'commander';
import { packageVersion } from '../version.ts';
import { type CliContext, EXIT } from './cli-context.ts';
import { addClientCommand } from './client/client-command.ts';
import { COMPLETION_HELP, COMPLETION_SCRIPTS, SHELLS } from './completion/scripts.ts';
import type { Shell } from './completion/scripts.ts';
import type { DoctorFlags } from './doctor/doctor-command.ts';
import { addHelpersCommand } from './helpers-command.ts';
import { addInitRepositoryCommand } from './init-repository-command.ts';
import { addMcpCommand } from './mcp-command.ts';
import type { CreateKeyFlags, KeysFlags, RotateFlags } from './keys-command.ts';
import type { ServerFlags } from './server-command.ts';
import type { MigrateFlags, RestoreFlags, StoreFlags } from './store-commands.ts';

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
  if (args[0] === 'complete') {
    const { complete } = await import('./completion/complete.ts');
    await complete(args.slice(1), program, context);
    return EXIT.ok;
  }
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === EXIT.ok ? EXIT.ok : EXIT.badConfiguration;
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
  addClientCommand(program, context, setExitCode);
  addMcpCommand(program, context, setExitCode);
  addKeysCommands(program, context, setExitCode);
  addStoreCommands(program, context, setExitCode);
  addInitRepositoryCommand(addHelpersCommand(program, context, setExitCode), context, setExitCode);
  addDoctorCommand(program, context, setExitCode);
  addCompletionCommand(program, context);
  program
    .command('agent')
    .description('Run the embedded agent server by itself: agent server [flags] -- COMMAND [ARGS…]')
    .argument('[args...]', 'arguments of the agent server');
  return program;
}

function addDoctorCommand(program: Command, context: CliContext, setExitCode: (code: number) => void): void {
  program
    .command('doctor')
    .description('Check whether this machine can run the server, and say what to do; changes nothing')
    .option('-c, --config <file>', 'JSON configuration file (default: config.json, if there is one)')
    .option('--json', 'answer with JSON')
    .option('--no-color', 'no colours, also NO_COLOR=1')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing is broken, 1 something is, 2 the configuration itself is wrong.',
    )
    .action(async (flags: DoctorFlags) => {
      const { runDoctor } = await import('./doctor/doctor-command.ts');
      setExitCode(await runDoctor(flags, context));
    });
}

function addCompletionCommand(program: Command, context: CliContext): void {
  program
    .command('completion')
    .description('Print a script that makes the shell complete commands, options, sessions and contexts')
    .addArgument(new Argument('<shell>', 'shell').choices(SHELLS))
    .addHelpText('after', COMPLETION_HELP)
    .action((shell: Shell) => {
      context.stdout.write(COMPLETION_SCRIPTS[shell]);
    });
}

/** What is done to the store as a whole. */
function addStoreCommands(program: Command, context: CliContext, setExitCode: (code: number) => void): void {
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'JSON configuration file (default: config.json, if there is one)');
  add('backup', 'Write a backup of the store; the server may run meanwhile')
    .argument('<file>', 'file to write; it must not exist')
    .action(async (file: string, flags: StoreFlags) => {
      const { backup } = await import('./store-commands.ts');
      setExitCode(await backup(file, flags, context));
    });
  add('restore', 'Replace the content of the store by a backup; the server must not run')
    .argument('<file>', 'file that backup has written')
    .option('-f, --force', 'also when the store holds something, which is lost then')
    .action(async (file: string, flags: RestoreFlags) => {
      const { restore } = await import('./store-commands.ts');
      setExitCode(await restore(file, flags, context));
    });
  add('migrate', 'Import sessions and profiles of takutakahashi/agentapi-proxy; the server must not run')
    .option('--sessions <file>', 'session file (default: persistence.file_path)')
    .option('--profiles <file>', 'profile file (default: that of the sessions with .profiles)')
    .action(async (flags: MigrateFlags) => {
      const { migrate } = await import('./store-commands.ts');
      setExitCode(await migrate(flags, context));
    });
}

/** Keys of the API and of the encryption, in the store; the server may run meanwhile. */
function addKeysCommands(program: Command, context: CliContext, setExitCode: (code: number) => void): void {
  const keys = program.command('keys').description('Make, list, revoke and replace keys in the store');
  const add = (name: string, description: string): Command =>
    keys
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'JSON configuration file (default: config.json, if there is one)')
      .option('--json', 'answer with JSON');
  add('create', 'Make an API key and show it this once')
    .requiredOption('-u, --user <name>', 'user who gets the key')
    .option('-r, --role <role>', 'admin, user or readonly', 'user')
    .option('-n, --name <text>', 'what the key is for', 'API key')
    .option('--permissions <list>', 'comma list (default: those of the role)')
    .option('--expires <time>', 'time such as 90d or 2027-01-01T00:00:00Z, or never', 'never')
    .option('--prefix <text>', 'what the key begins with', 'ap')
    .action(async (flags: CreateKeyFlags) => {
      const { createKey } = await import('./keys-command.ts');
      setExitCode(await createKey(flags, context));
    });
  add('list', 'List the API keys in the store')
    .option('-u, --user <name>', 'only those of a user')
    .action(async (flags: KeysFlags & { readonly user?: string }) => {
      const { listKeys } = await import('./keys-command.ts');
      setExitCode(await listKeys(flags, context));
    });
  add('revoke', 'Revoke an API key')
    .argument('<id>', 'id of the key, as keys list shows it')
    .action(async (id: string, flags: KeysFlags) => {
      const { revokeKey } = await import('./keys-command.ts');
      setExitCode(await revokeKey(id, flags, context));
    });
  add('rotate', 'Replace an API key; without an id: replace the encryption key and seal everything again')
    .argument('[id]', 'id of the API key')
    .option('--overlap <time>', 'how long the old API key stays good, such as 24h (the default) or 0s')
    .action(async (id: string | undefined, flags: RotateFlags) => {
      const { rotateEncryption, rotateKey } = await import('./keys-command.ts');
      setExitCode(
        id === undefined ? await rotateEncryption(flags, context) : await rotateKey(id, flags, context),
      );
    });
  add('rotate-encryption', 'Replace the encryption key and seal everything again').action(
    async (flags: KeysFlags) => {
      const { rotateEncryption } = await import('./keys-command.ts');
      setExitCode(await rotateEncryption(flags, context));
    },
  );
}
