import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { git, startGitServer } from '../support/git-server.ts';
import type { GitServer } from '../support/git-server.ts';
import { watchProcesses } from '../support/process-watch.ts';
import { runCommand } from '../support/server-process.ts';

const TOKEN = 'ghp_helperToken0123456789abcdefABCDEFx';

let forge: GitServer;
let folder: string;

beforeAll(async () => {
  forge = await startGitServer();
  await forge.create('o/work', { 'README.md': '# Work\n' });
  forge.makePrivate('o/work');
  forge.allow(TOKEN, 'o/work');
});

afterAll(async () => {
  await forge[Symbol.asyncDispose]();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'init-repository-'));
  return async () => rm(folder, { recursive: true });
});

async function init(
  args: readonly string[],
  env: Readonly<Record<string, string>> = { GITHUB_TOKEN: TOKEN },
): ReturnType<typeof runCommand> {
  return runCommand(['helpers', 'init-github-repository', ...args], {
    cwd: folder,
    env: { GITHUB_API: forge.apiUrl, ...env },
  });
}

describe('helpers init-github-repository', () => {
  test('DF-15, DF-47, DD-21: clones the default branch and leaves the token nowhere', async () => {
    await using watch = watchProcesses(TOKEN);
    const target = join(folder, 'clone');
    const { code, stdout, stderr } = await init(['--repo-fullname', 'o/work', '--clone-dir', 'clone']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('o/work: checkout') });
    expect(stdout).toContain(`Cloned o/work into ${target}`);
    expect(await readFile(join(target, 'README.md'), 'utf8')).toBe('# Work\n');
    expect(await readdir(target)).toEqual(['.git', 'README.md']);
    expect(await git(target, 'status', '--porcelain', '--branch')).toBe('## trunk...origin/trunk');
    expect(await readFile(join(target, '.git/config'), 'utf8')).not.toContain(TOKEN);
    expect(stdout + stderr).not.toContain(TOKEN);
    expect([...watch.inArguments]).toEqual([]);
  });

  test('takes everything from the environment, and the working directory as the folder', async () => {
    const env = { GITHUB_TOKEN: TOKEN, GITHUB_REPO_FULLNAME: 'o/work' };
    expect((await init(['--ignore-missing-config'], env)).code).toBe(0);
    expect(await readdir(folder)).toEqual(['.git', 'README.md']);
  });

  test('brings a clone up to date, and refuses that of another repository', async () => {
    expect((await init(['--repo-fullname', 'o/work'])).code).toBe(0);
    const other = join(folder, 'other');
    await git(folder, 'clone', '--quiet', join(forge.folder, 'o/work.git'), other);
    await git(other, 'commit', '--quiet', '--allow-empty', '-m', 'Second');
    await git(other, 'push', '--quiet', 'origin', 'trunk');
    const again = await init(['--repo-fullname', 'o/work']);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('up to date') });
    expect(await git(folder, 'rev-list', '--count', 'HEAD')).toBe('2');
    const wrong = await init(['--repo-fullname', 'o/another']);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('clone of another repository') });
  });

  test('a branch that is not the one checked out in the clone is refused, and the clone left as it is', async () => {
    const args = ['--repo-fullname', 'o/work', '--branch', 'trunk'];
    expect((await init(args)).code).toBe(0);
    expect(await init(args)).toMatchObject({ code: 0, stdout: expect.stringContaining('up to date') });
    const other = await init([...args.slice(0, -1), 'other']);
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain('has the branch trunk checked out, not other; check out other there');
    expect(await git(folder, 'status', '--porcelain', '--branch')).toBe('## trunk...origin/trunk');
  });

  test('DF-72: without a name it is an error, and nothing is made', async () => {
    const { code, stderr } = await init(['--ignore-missing-config']);
    expect(code).toBe(1);
    expect(stderr).toContain('--repo-fullname');
    expect(await readdir(folder)).toEqual([]);
  });

  test('without credentials it does nothing when that is fine', async () => {
    const { code, stdout } = await init(['--ignore-missing-config', '--repo-fullname', 'o/work'], {});
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('no GitHub credentials') });
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    [['--repo-fullname', 'x/$(touch f)'], /--repo-fullname must be/],
    [['--repo-fullname', '../x'], /--repo-fullname must be/],
    [['--repo-fullname', 'o/nothing'], /o\/nothing does not exist/],
    [['--repo-fullname', 'o/work', '--branch', 'trunc'], /near it: trunk/],
    [['--repo-fullname', 'o/work', '--branch=--x'], /name of a branch/],
    [['--repo-fullname', 'o/work', '--depth', '0'], /above 0/],
  ])('DF-43, DF-48: %j fails with a reason and leaves nothing', async (args, message) => {
    const { code, stderr } = await init(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(await readdir(folder)).toEqual([]);
  });

  test('a folder with something else in it is left alone', async () => {
    await mkdir(join(folder, 'full'));
    await writeFile(join(folder, 'full/mine.txt'), 'mine');
    const { code, stderr } = await init(['--repo-fullname', 'o/work', '--clone-dir', 'full']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is not empty') });
    expect(await readdir(join(folder, 'full'))).toEqual(['mine.txt']);
  });

  test('an App without its key is named', async () => {
    const { code, stderr } = await init(['--repo-fullname', 'o/work'], { GITHUB_APP_ID: '1' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('GITHUB_APP_PEM_PATH') });
  });
});
