import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import type { GenerateTokenFlags } from './generate-token.ts';
import type { SetupClaudeCodeFlags } from './setup-claude-code.ts';

/**
 * Adds `helpers`, whose subcommands prepare machines and folders; without one it lists them all (PX-006).
 * @returns the command, for subcommands that are defined elsewhere.
 */
export function addHelpersCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): Command {
  const helpers = program.command('helpers').description('Prepare keys files and folders of agents');
  helpers.allowExcessArguments().action(() => {
    const [unknown] = helpers.args;
    if (unknown !== undefined) helpers.error(`error: unknown command '${unknown}'`);
    helpers.outputHelp();
  });
  helpers
    .command('generate-token')
    .description('Add an API key to a keys file (auth.keys_file) and show it this once')
    .requiredOption('--output-path <file>', 'keys file; made when it is not there')
    .requiredOption('--user-id <name>', 'user who gets the key')
    .option('--role <role>', 'admin, user or readonly', 'user')
    .option(
      '--permissions <list>',
      'comma list, may be repeated (default: those of the role)',
      (list: string, before: readonly string[] | undefined) => [...(before ?? []), list],
    )
    .option('--expiry-days <number>', 'days until the key expires', '365')
    .option('--key-prefix <text>', 'what the key begins with', 'ap')
    .action(async (flags: GenerateTokenFlags) => {
      const { generateToken } = await import('./generate-token.ts');
      setExitCode(generateToken(flags, context));
    });
  helpers
    .command('setup-claude-code')
    .description('Let Claude Code work in a folder without its questions about trust')
    .option('--claude-dir <folder>', 'the folder (default: CLAUDE_DIR)')
    .action(async (flags: SetupClaudeCodeFlags) => {
      const { setupClaudeCode } = await import('./setup-claude-code.ts');
      setExitCode(await setupClaudeCode(flags, context));
    });
  return helpers;
}
