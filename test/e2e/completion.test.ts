import { spawnSync } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine } from '../support/command-line.ts';
import type { CommandLine } from '../support/command-line.ts';
import { ROOT } from '../support/documents.ts';
import { runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const hasShell = (name: string): boolean => spawnSync(name, ['-c', 'true']).status === 0;

// Each completion is a process of its own.
describe('completion', { timeout: 120_000 }, () => {
  let server: ServerProcess;
  let user: CommandLine;
  let id: string;
  beforeAll(async () => {
    server = await startServer();
    user = await commandLine({ AGENTAPI_PROXY_ENDPOINT: server.url });
    ({ id } = await server.client.start());
    await server.client.profiles.create({ name: 'reviewer' });
    await server.client.profiles.create({ name: '$(touch pwned)' });
    await user.run(['client', 'context', 'set', 'local', '-e', server.url]);
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** What the shell itself offers after `words`, the last of which is being typed. */
  function bash(...words: readonly string[]): readonly string[] {
    const script = [
      'source <(agentapi-proxy completion bash)',
      'COMP_WORDS=(agentapi-proxy "$@"); COMP_CWORD=$#',
      'complete -p agentapi-proxy >/dev/null || exit',
      '_agentapi_proxy; printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const { PATH = '' } = process.env;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], {
      cwd: user.home,
      encoding: 'utf8',
      env: { PATH: `${join(ROOT, 'bin')}:${PATH}`, HOME: user.home, AGENTAPI_PROXY_ENDPOINT: server.url },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('bash: commands, options, sessions, contexts and profiles', () => {
    expect(bash('')).toEqual(expect.arrayContaining(['server', 'client', 'keys', 'doctor', 'completion']));
    expect(bash('client', 'h')).toEqual(['history', 'help']);
    expect(bash('client', 'send', '--w')).toEqual(['--wait']);
    expect(bash('client', 'history', id.slice(0, 3))).toEqual([id]);
    expect(bash('client', '-s', '')).toEqual([id]);
    expect(bash('client', '--session-id', '=', id.slice(0, 2))).toEqual([id]);
    expect(bash('client', 'delete', id, '')).toEqual([id]);
    expect(bash('client', 'context', 'use', '')).toEqual(['local']);
    expect(bash('client', 'profiles', 'show', 'r')).toEqual(['reviewer']);
    expect(bash('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(bash('client', 'send', '-s', id, 'some text', '')).toEqual([]);
  });

  test('bash: the endpoint on the line counts, which bash takes apart at its colons', () => {
    const words = server.url.split(/(:)/);
    expect(bash('client', '-e', ...words, 'status', '')).toEqual([id]);
    expect(bash('client', '-e', 'http', ':', '//127.0.0.1', ':', '1', 'status', '')).toEqual([]);
  });

  test('bash: neither what is typed nor what the server answers is run', async () => {
    bash('client', 'send', '$(touch pwned)', '');
    bash('client', 'send', '`touch pwned`');
    expect(bash('client', 'profiles', 'show', '$')).toEqual([]);
    await expect(access(join(user.home, 'pwned'))).rejects.toThrow('ENOENT');
  });

  test('every script is sound for its shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout, stderr } = await user.run(['completion', shell]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      if (!hasShell(shell)) continue;
      expect(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' })).toMatchObject({
        status: 0,
        stderr: '',
      });
    }
    expect((await user.run(['completion', 'tcsh'])).code).toBe(2);
  });

  test('zsh and fish are given descriptions, fish whole words', async () => {
    const zsh = await user.run(['complete', 'zsh', '--', 'client', '-s', '']);
    expect(zsh.stdout).toMatch(new RegExp(`^${id}\\t(creating|starting|running) demo\\n$`));
    const fish = await user.run(['complete', 'fish', '--', 'client', `--session-id=${id.slice(0, 4)}`]);
    expect(fish.stdout).toMatch(new RegExp(`^--session-id=${id}\\t`));
    expect((await user.run(['complete', 'zsh', '--', 'client', '--api-key-file', ''])).stdout).toBe(
      ':files\n',
    );
  });

  test('a server that is not there gives no candidates and no words', async () => {
    const env = { AGENTAPI_PROXY_ENDPOINT: 'http://127.0.0.1:9' };
    expect(await runCommand(['complete', 'zsh', '--', 'client', 'status', ''], { env })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});
