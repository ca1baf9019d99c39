import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commandLine } from '../support/command-line.ts';
import type { CommandLine } from '../support/command-line.ts';
import { ROOT, testedBlock } from '../support/documents.ts';
import { git, startGitServer } from '../support/git-server.ts';
import { startServer } from '../support/server-process.ts';

const NAMED_ADDRESS = 'http://localhost:8080';
const TOKEN = 'ghp_documentsToken0123456789abcdefABCD';

const execute = promisify(execFile);

/** Runs a block with the built command in the `PATH`; fails when one of its commands does. */
async function runBlock(
  user: CommandLine,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await execute('sh', ['-e', '-c', script], {
    cwd: user.home,
    env: {
      PATH: `${join(ROOT, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: user.home,
      LANG: 'C.UTF-8',
      ...env,
    },
    timeout: 60_000,
  });
  return stdout;
}

describe('the shell blocks of the documents, word for word', { timeout: 120_000 }, () => {
  test('docs/profile-api.md: a profile, and a session from its template', async () => {
    await using server = await startServer();
    await using user = await commandLine();
    const script = await testedBlock('docs/profile-api.md', 'profile and template');
    const stdout = await runBlock(user, script.replaceAll(NAMED_ADDRESS, server.url));
    const id = /"session_id":"([^"]+)"/.exec(stdout)?.[1] ?? '';
    const session = server.client.session(id);
    await session.waitUntilReady();
    const messages = await session.messages();
    expect(messages.some(({ content }) => content.includes('Review src/app.ts for races.'))).toBe(true);
  });

  test('docs/agents.md: the questions of Claude Code about a folder are answered in advance', async () => {
    await using user = await commandLine();
    const folder = join(user.home, 'project');
    const script = await testedBlock('docs/agents.md', 'set up Claude Code');
    await runBlock(user, script.replace('/path/to/folder', folder));
    expect(JSON.parse(await readFile(join(folder, '.claude/settings.json'), 'utf8'))).toBeTypeOf('object');
  });

  test('docs/github.md: from the start to the pull request, and the helper', async () => {
    await using forge = await startGitServer();
    await forge.create('acme/site', { 'README.md': '# Site\n' });
    forge.makePrivate('acme/site');
    forge.allow(TOKEN, 'acme/site');
    forge.onApi(({ method, url }) =>
      method === 'POST' && url.pathname === '/repos/acme/site/pulls'
        ? { status: 201, body: { number: 1, html_url: `${forge.url}acme/site/pull/1` } }
        : null,
    );
    const env = { GITHUB_API: forge.apiUrl, GITHUB_TOKEN: TOKEN };
    await using server = await startServer({ env });
    await using user = await commandLine();
    const run = async (name: string, variables: Readonly<Record<string, string>> = {}): Promise<string> => {
      const script = await testedBlock('docs/github.md', name);
      return runBlock(user, script.replaceAll(NAMED_ADDRESS, server.url), variables);
    };
    const ID = /"session_id":"([^"]+)"/.exec(await run('start on a repository'))?.[1] ?? '';
    await server.client.session(ID).waitUntilReady({ timeoutMs: 60_000 });
    const workspace = join(server.dataDir, 'sessions', ID, 'workspace');
    await writeFile(join(workspace, 'README.md'), '# Our site\n');
    await git(workspace, 'commit', '--quiet', '-a', '-m', 'Say whose site it is');
    await writeFile(join(workspace, 'README.md'), '# Our new site\n');
    const after = await run('diff, push, pull request', { ID });
    expect(after).toContain('+# Our new site');
    expect(after).toContain('acme/site/pull/1');
    expect(
      await git(join(forge.folder, 'acme/site.git'), 'log', '-1', '--format=%s', 'agent/mend-test'),
    ).toBe('Say whose site it is');
    await run('init-github-repository', env);
    expect(await readFile(join(user.home, 'site/README.md'), 'utf8')).toBe('# Site\n');
  });

  test('CONTRIBUTING.md: the npm scripts are there', async () => {
    const scripts = z
      .looseObject({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))).scripts;
    const block = await testedBlock('CONTRIBUTING.md', 'while you work');
    const named = Array.from(block.matchAll(/npm run ([\w-]+)/gu), ([, name = '']) => name);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
