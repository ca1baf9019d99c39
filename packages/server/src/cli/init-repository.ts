import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { github } from '../config/github-fields.ts';
import { AppError } from '../errors.ts';
import { serverCredentials } from '../workspace/create-repositories.ts';
import { Cloner } from '../workspace/git/clone.ts';
import { failureOf, localFailureOf } from '../workspace/git/git-failure.ts';
import { Git } from '../workspace/git/git.ts';
import { isRefName } from '../workspace/git/ref-name.ts';
import { gitFolderOf, readHead } from '../workspace/git/repository-head.ts';
import { chooseToken } from '../workspace/github/credentials.ts';
import type { ChosenToken } from '../workspace/github/credentials.ts';
import { cloneUrlOf, forgeOf } from '../workspace/github/forge.ts';
import type { Forge } from '../workspace/github/forge.ts';
import { RepositoryError } from '../workspace/repository-error.ts';
import { fullNameOf, parseRepository } from '../workspace/repository.ts';
import type { RepositoryReference } from '../workspace/repository.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './cli-context.ts';

export interface InitRepositoryFlags {
  readonly repoFullname?: string;
  readonly cloneDir?: string;
  readonly branch?: string;
  readonly depth?: string;
  readonly ignoreMissingConfig?: boolean;
}

/** What the command works with. */
interface Job {
  readonly git: Git;
  readonly forge: Forge;
  readonly repository: RepositoryReference;
  readonly folder: string;
  readonly branch: string | null;
  readonly depth: number | null;
  readonly chosen: ChosenToken;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The command cannot do what was asked; the message says why. */
class CommandError extends Error {
  override readonly name = 'CommandError';
}

/**
 * Clones a repository, or brings the clone that is there up to date. Nothing but the clone is written; the token stays
 * in this process (DF-15).
 * @returns the exit code.
 */
export async function initRepository(flags: InitRepositoryFlags, context: CliContext): Promise<number> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new CommandError('Interrupted'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) context.signals.on(name, interrupt);
  try {
    context.stdout.write(`${await run(flags, context, abort.signal)}\n`);
    return EXIT.ok;
  } catch (error) {
    const isKnown =
      error instanceof CommandError || error instanceof RepositoryError || error instanceof AppError;
    if (!isKnown) throw error;
    context.stderr.write(`${error.message}\n`);
    return EXIT.failed;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) context.signals.off(name, interrupt);
  }
}

/** @returns what was done, as a sentence. */
async function run(flags: InitRepositoryFlags, context: CliContext, signal: AbortSignal): Promise<string> {
  const { environment, workingDirectory } = context;
  const settings = settingsOf(environment);
  const forge = forgeOf(settings.api_url, settings.url);
  const credentials = serverCredentials(settings, () => () => undefined);
  const name = flags.repoFullname ?? environment['GITHUB_REPO_FULLNAME'] ?? '';
  if (flags.ignoreMissingConfig === true && credentials.token === null && credentials.app === null) {
    return 'Nothing to do: there are no GitHub credentials';
  }
  if (name === '') {
    throw new CommandError('There is no repository; name it with --repo-fullname or GITHUB_REPO_FULLNAME');
  }
  const repository = parseRepository(name, { field: '--repo-fullname', host: forge.host });
  const job: Job = {
    git: new Git(environment),
    forge,
    repository,
    folder: resolve(workingDirectory, flags.cloneDir ?? environment['GITHUB_CLONE_DIR'] ?? '.'),
    branch: branchOf(flags.branch),
    depth: depthOf(flags.depth),
    chosen: await chooseToken(null, credentials, repository, signal),
    timeoutMs: settings.clone_timeout_seconds * 1000,
    signal,
  };
  await mkdir(job.folder, { recursive: true });
  const entries = await readdir(job.folder);
  if (entries.includes('.git')) return update(job);
  if (entries.length > 0) throw new CommandError(`The folder ${job.folder} is not empty`);
  return clone(job, (text) => context.stderr.write(`${text}\n`));
}

async function clone(job: Job, say: (text: string) => void): Promise<string> {
  const { repository, folder, chosen, forge } = job;
  // Within the folder: it may be somebody's working directory, and those above it somebody else's.
  const draft = await mkdtemp(join(folder, '.clone-'));
  try {
    const directory = join(draft, 'clone');
    let step = '';
    const cloner = new Cloner(job.git, null, forge);
    const { commit } = await cloner.clone({
      ...job,
      ref: null,
      createBranch: false,
      token: chosen.token,
      tokenOrigin: chosen.origin,
      directory,
      marker: null,
      onProgress: (progress) => {
        if (progress.step !== step) say(`${fullNameOf(repository)}: ${progress.step}`);
        ({ step } = progress);
      },
    });
    const entries = await readdir(directory);
    // A folder counts as a clone once it has the last of them.
    for (const entry of [...entries.filter((each) => each !== '.git'), '.git']) {
      await rename(join(directory, entry), join(folder, entry));
    }
    return `Cloned ${fullNameOf(repository)} into ${folder}${commit === null ? '' : ` at ${commit.slice(0, 12)}`}`;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Moves the branch of a clone forward, if that loses nothing. */
async function update(job: Job): Promise<string> {
  const { git, forge, repository, folder, chosen, timeoutMs, signal } = job;
  const { branch } = await readHead(await gitFolderOf(folder));
  if (branch === null) throw new CommandError(`No branch is checked out in ${folder}`);
  if (job.branch !== null && job.branch !== branch) {
    // Another branch could be the work of somebody who is at it; nothing is checked out over it.
    throw new CommandError(
      `${folder} has the branch ${branch} checked out, not ${job.branch}; check out ${job.branch} there, leave out --branch, or name another folder with --clone-dir`,
    );
  }
  const local = { cwd: folder, timeoutMs, signal };
  const url = cloneUrlOf(forge, repository);
  const remote = await git.run({ ...local, args: ['config', '--get', 'remote.origin.url'] });
  if (remote.stdout.toString('utf8').trim().toLowerCase() !== url.toLowerCase()) {
    throw new CommandError(`${folder} is the clone of another repository`);
  }
  const { token, origin } = chosen;
  const fetched = await git.run({
    ...local,
    args: ['fetch', '--quiet', '--', url, `+refs/heads/${branch}:refs/remotes/origin/${branch}`],
    protocols: 'http:https',
    credential: token === null ? null : { base: forge.cloneBase, token },
  });
  if (fetched.code !== 0) {
    throw failureOf(fetched, { repository: fullNameOf(repository), host: forge.host, origin });
  }
  const merged = await git.run({
    ...local,
    args: ['merge', '--quiet', '--ff-only', `refs/remotes/origin/${branch}`],
  });
  if (merged.code !== 0) throw localFailureOf(merged, `Bringing ${branch} up to date`);
  return `Brought ${fullNameOf(repository)} in ${folder} up to date`;
}

function settingsOf(environment: CliContext['environment']): ReturnType<typeof github.parse> {
  const number = (name: string): unknown => {
    const text = environment[name] ?? '';
    return text === '' ? undefined : /^\d+$/.test(text) ? Number(text) : text;
  };
  const text = (name: string): string | undefined => environment[name] || undefined;
  const parsed = github.safeParse({
    token: text('GITHUB_TOKEN'),
    app_id: number('GITHUB_APP_ID'),
    app_key_file: text('GITHUB_APP_PEM_PATH'),
    installation_id: number('GITHUB_INSTALLATION_ID'),
    api_url: text('GITHUB_API'),
    url: text('GITHUB_URL'),
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CommandError(`The GitHub settings are wrong: ${String(issue?.path[0])}: ${issue?.message}`);
  }
  if (parsed.data.app_id !== null && parsed.data.app_key_file === '') {
    throw new CommandError('GITHUB_APP_ID needs GITHUB_APP_PEM_PATH, the file with its private key');
  }
  return parsed.data;
}

function branchOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!isRefName(text)) throw new CommandError('--branch must be the name of a branch');
  return text;
}

function depthOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new CommandError('--depth must be a whole number above 0');
  return Number(text);
}
