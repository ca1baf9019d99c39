import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addWorkspaceFiles } from './workspace-files.ts';

describe('addWorkspaceFiles', () => {
  let folder: string;
  let workspace: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workspace-files-'));
    workspace = join(folder, 'workspace');
    await mkdir(workspace);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function add(path: string, content = 'Be brief.\n'): Promise<void> {
    await addWorkspaceFiles(workspace, [{ path, content }]);
  }

  test('PX-207: makes a file that is not there, private, with its folders', async () => {
    await add('.amazonq/rules/ours.md');
    expect(await readFile(join(workspace, '.amazonq/rules/ours.md'), 'utf8')).toBe('Be brief.\n');
    expect((await stat(join(workspace, '.amazonq/rules/ours.md'))).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['Theirs.', 'Theirs.\n\nBe brief.\n'],
    ['Theirs.\n', 'Theirs.\n\nBe brief.\n'],
    ['Theirs.\n\n', 'Theirs.\n\nBe brief.\n'],
    ['', 'Be brief.\n'],
  ])('PX-207: what a repository says stays: %j', async (present, expected) => {
    await writeFile(join(workspace, 'AGENTS.md'), present);
    await add('AGENTS.md');
    expect(await readFile(join(workspace, 'AGENTS.md'), 'utf8')).toBe(expected);
  });

  test('a second start in the same workspace adds nothing', async () => {
    await writeFile(join(workspace, 'AGENTS.md'), 'Theirs.');
    await add('AGENTS.md');
    await add('AGENTS.md');
    expect(await readFile(join(workspace, 'AGENTS.md'), 'utf8')).toBe('Theirs.\n\nBe brief.\n');
  });

  test('a link within the workspace is followed', async () => {
    await writeFile(join(workspace, 'CLAUDE.md'), 'Theirs.\n');
    await symlink('CLAUDE.md', join(workspace, 'AGENTS.md'));
    await add('AGENTS.md');
    expect(await readFile(join(workspace, 'CLAUDE.md'), 'utf8')).toBe('Theirs.\n\nBe brief.\n');
  });

  test('a link to a file outside is refused, and the file unharmed', async () => {
    await writeFile(join(folder, 'precious'), 'precious');
    await symlink('../precious', join(workspace, 'AGENTS.md'));
    await expect(add('AGENTS.md')).rejects.toThrow('AGENTS.md leads out of the workspace');
    expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('precious');
  });

  test('a link to a folder outside is refused, and nothing is made there', async () => {
    await mkdir(join(folder, 'outside'));
    await symlink('../outside', join(workspace, '.amazonq'));
    await expect(add('.amazonq/rules/ours.md')).rejects.toThrow('leads out of the workspace');
    expect(await readdir(join(folder, 'outside'))).toEqual([]);
  });

  test('a link that leads nowhere is refused', async () => {
    await symlink('../nothing', join(workspace, 'AGENTS.md'));
    await expect(add('AGENTS.md')).rejects.toThrow(/AGENTS.md cannot be written into the workspace/);
    expect(await readdir(folder)).toEqual(['workspace']);
  });

  test.each(['../x', '/x', 'a/../../x', '', 'a//b', './x', 'a/'])(
    '%j is no place for a file',
    async (path) => {
      await expect(add(path)).rejects.toThrow('is no path within the workspace');
      expect(await readdir(workspace)).toEqual([]);
    },
  );

  test('a folder in the place of the file is reported', async () => {
    await mkdir(join(workspace, 'AGENTS.md'));
    await expect(add('AGENTS.md')).rejects.toThrow(/AGENTS.md cannot be written into the workspace/);
  });
});
