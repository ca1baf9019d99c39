import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import type { InitRepositoryFlags } from './init-repository.ts';

/** Adds `init-github-repository` to `helpers` (proxy-api section 1.4). */
export function addInitRepositoryCommand(
  helpers: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  helpers
    .command('init-github-repository')
    .description('Clone a GitHub repository into a folder, or bring the clone that is there up to date')
    .option('--repo-fullname <owner/name>', 'repository (default: GITHUB_REPO_FULLNAME)')
    .option('--clone-dir <folder>', 'folder (default: GITHUB_CLONE_DIR, else the working directory)')
    .option('--branch <name>', 'branch to be on (default: the default branch)')
    .option('--depth <number>', 'commits of history (default: all)')
    .option('--ignore-missing-config', 'do nothing when there are no credentials')
    .addHelpText(
      'after',
      '\nCredentials: GITHUB_TOKEN, else GITHUB_APP_ID, GITHUB_APP_PEM_PATH and GITHUB_INSTALLATION_ID; GITHUB_API and GITHUB_URL name another server.',
    )
    .action(async (flags: InitRepositoryFlags) => {
      const { initRepository } = await import('./init-repository.ts');
      setExitCode(await initRepository(flags, context));
    });
}
