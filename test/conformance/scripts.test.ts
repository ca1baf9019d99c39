import { execFileSync, spawnSync } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROOT, testedBlock } from '../support/documents.ts';
import { git, startGitServer } from '../support/git-server.ts';
import { lineAgent } from '../support/line-agent.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ServerSeries } from '../support/server-series.ts';
import {
  ask,
  errorOf,
  getSession,
  jsonRequest,
  remove,
  start,
  untilStable,
  untilState,
} from '../support/wire.ts';

const profileReply = z.object({ profile: z.object({ id: z.string(), script: z.string() }) });
const startReply = z.object({ session_id: z.string() });

/** Begins every script of the tests. */
const HEAD = '#!/usr/bin/env bash\nset -euo pipefail\nshift 2\n';

/** The scripts that an operator has written, by name. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'noted.sh': `#!/usr/bin/env bash
set -euo pipefail
printf '%s' "$#" > count
printf '%s\\0' "$@" > arguments
env -0 > environment
pwd -P > directory
echo 'the script was here'
shift 2
exec "$@"`,
  'failing.sh': `${HEAD}echo 'step one is done'\nls /no/such/place\nexec "$@"`,
  'silent.sh': `${HEAD}true`,
  'stubborn.sh': `${HEAD}trap '' TERM\nexec "$@"`,
  'busy.sh': `${HEAD}sleep 1000 3<&- &\n(setsid sleep 1000 3<&- &)\nexec "$@"`,
  'parent.sh': `${HEAD}"$@"`,
  'talkative.sh': `${HEAD}echo "token: $MY_TOKEN"\nexit 1`,
  'endless.sh': `${HEAD}sleep 1000`,
};

async function writeScripts(folder: string): Promise<string> {
  const scripts = join(folder, 'scripts');
  await mkdir(scripts, { mode: 0o755 });
  for (const [name, text] of Object.entries(SCRIPTS))
    await writeFile(join(scripts, name), text, { mode: 0o644 });
  return scripts;
}

const AGENTS = { line: lineAgent() };

describe('start scripts', () => {
  let folder: string;
  let scripts: string;
  let server: ServerProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-scripts-'));
    scripts = await writeScripts(folder);
    server = await startServer({
      config: {
        agents: AGENTS,
        default_agent: 'line',
        scripts_dir: scripts,
        agent_server_args: ['--term-width', '100'],
        claude_args: ["it's", '$(x)'],
        stop_grace_seconds: 1,
        environment: { set: { OPERATORS: 'operator', GITHUB_TOKEN: 'of the operator' } },
      },
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  function inWorkspace(id: string, ...parts: readonly string[]): string {
    return join(server.dataDir, 'sessions', id, 'workspace', ...parts);
  }

  async function noted(id: string, name: string): Promise<readonly string[]> {
    return (await readFile(inWorkspace(id, name), 'utf8')).split('\0').slice(0, -1);
  }

  async function refused(script: string): Promise<string> {
    const error = await errorOf(await server.request('/start', jsonRequest({ script })));
    expect(error).toMatchObject({ status: 400, code: 'script_not_allowed' });
    return error.message;
  }

  test('DF-01, DF-02: a script gets PORT -- COMMAND as arguments, whatever they hold', async () => {
    const hostile = ['$(touch made)', '`touch made`', '"; touch made; "', "it's", 'line\nbreak', '-n', '*'];
    const id = await start(server, { script: 'noted.sh', agent_args: hostile });
    await untilStable(server, id);
    const [port, separator, command, ...args] = await noted(id, 'arguments');
    expect([port, separator, command]).toEqual(['0', '--', process.execPath]);
    expect(args.slice(args.indexOf('line-agent') + 1)).toEqual(hostile);
    expect(args).toEqual(expect.arrayContaining(['--term-width', '100']));
    await expect(access(inWorkspace(id, 'made'))).rejects.toThrow('ENOENT');
    expect((await readFile(inWorkspace(id, 'directory'), 'utf8')).trim()).toBe(inWorkspace(id));
    expect(await ask(server, id, 'hello')).toContain('got hello');
  });

  test('DF-44, PX-083: a script sees the session, and what the request has set stays as it was sent', async () => {
    const environment = {
      GITHUB_TOKEN: 'of the request',
      HOSTILE: '$(touch made) "\' ; \n touch made',
      CLAUDE_ARGS: 'mine',
    };
    const id = await start(server, { script: 'noted.sh', environment });
    await untilStable(server, id);
    const variables = new Map(
      (await noted(id, 'environment')).map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)] as const;
      }),
    );
    for (const [name, value] of Object.entries(environment)) expect(variables.get(name)).toBe(value);
    expect(variables.get('AGENTAPI_PROXY_SESSION_ID')).toBe(id);
    expect(variables.get('AGENTAPI_PROXY_WORKSPACE')).toBe(inWorkspace(id));
    expect(variables.get('AGENTAPI_ARGS')).toBe('--term-width 100');
    expect(variables.get('OPERATORS')).toBe('operator');
    expect([...variables.keys()]).not.toContain('AGENTAPI_PROXY_REPOSITORY');
    await expect(access(inWorkspace(id, 'made'))).rejects.toThrow('ENOENT');
  });

  test('DF-02: operator arguments reach a script in one string that splits into the same words', async () => {
    const id = await start(server, { script: 'noted.sh' });
    await untilStable(server, id);
    const line = (await noted(id, 'environment')).find((each) => each.startsWith('CLAUDE_ARGS='));
    const split = execFileSync('bash', ['-c', `printf '%s\\n' ${line?.slice('CLAUDE_ARGS='.length) ?? ''}`]);
    expect(split.toString()).toBe("it's\n$(x)\n");
  });

  test('DF-33: what a script prints is the log of the session', async () => {
    const id = await start(server, { script: 'noted.sh' });
    await untilStable(server, id);
    const log = await server.request(`/sessions/${id}/log`);
    expect(await log.text()).toContain('the script was here');
  });

  test('DF-33, DF-43: a step that fails ends the session with its last lines, and the agent is not started', async () => {
    const id = await start(server, { script: 'failing.sh' });
    const session = await untilState(server, id, 'failed');
    expect(session.reason).toMatch(/^The script failing\.sh exited with code 2: .*\/no\/such\/place/);
    expect(session.last_output).toEqual(['step one is done', expect.stringContaining('/no/such/place')]);
    expect(session.exit_code).toBe(2);
    await expect(access(inWorkspace(id, 'received'))).rejects.toThrow('ENOENT');
    expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('DF-04, PX-166: a secret that a script prints is in no reason, no line of the server and no file but the log', async () => {
    const secret = 'secret-of-the-request';
    const id = await start(server, { script: 'talkative.sh', environment: { MY_TOKEN: secret } });
    const session = await untilState(server, id, 'failed');
    expect(session.reason).toMatch(/^The script talkative\.sh exited with code 1: .*\[secret\]/);
    expect(session.last_output.join('\n')).toContain(secret);
    expect(server.output()).not.toContain(secret);
    for (const name of await readdir(server.dataDir)) {
      if (name.startsWith('store.db')) {
        expect(await readFile(join(server.dataDir, name), 'latin1')).not.toContain(secret);
      }
    }
  });

  test('a script that ends without starting anything is told how it has to end', async () => {
    const session = await untilState(server, await start(server, { script: 'silent.sh' }), 'failed');
    expect(session.reason).toContain('its last step must be exec "$@"');
  });

  test('PX-129: after DELETE nothing is left of scripts that ignore TERM, start others or stay', async () => {
    const ids = await Promise.all(
      ['stubborn.sh', 'busy.sh', 'parent.sh'].map(async (script) => start(server, { script })),
    );
    for (const id of ids) {
      await untilStable(server, id);
      expect(await ask(server, id, 'hello')).toContain('got hello');
    }
    expect((await server.sessionProcesses(ids[1])).length).toBeGreaterThan(3);
    await Promise.all(ids.map(async (id) => remove(server, id)));
    for (const id of ids) expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('PX-130: DELETE ends a script that is still at work', async () => {
    const id = await start(server, { script: 'endless.sh' });
    await eventually('the script runs', async () => (await server.sessionProcesses(id)).length >= 2);
    await remove(server, id);
    expect(await server.sessionProcesses(id)).toEqual([]);
  });

  test('a script that is not allowed is refused by the names of those that are', async () => {
    const message = await refused('mine.sh');
    for (const name of ['agentapi_default.sh', 'agentapi_with_github.sh', ...Object.keys(SCRIPTS)]) {
      expect(message).toContain(name);
    }
  });

  test('a script is named, never described by a path', async () => {
    await writeFile(join(folder, 'outside.sh'), SCRIPTS['noted.sh'] ?? '');
    await writeFile(join(scripts, 'no-ending'), '');
    const names = ['../outside.sh', join(scripts, 'noted.sh'), './noted.sh', '.sh', '-x.sh', 'no-ending'];
    for (const name of [...names, 'auto', 'none', 'noted.sh/', 'scripts/noted.sh']) {
      expect(await refused(name)).toContain('noted.sh');
    }
    const { status } = await server.request('/start', jsonRequest({ script: 'noted.sh\0' }));
    expect(status).toBe(400);
  });

  test('a file that is not safe from other users, or is elsewhere, is refused with what to do', async () => {
    await writeFile(join(folder, 'outside.sh'), SCRIPTS['noted.sh'] ?? '');
    await symlink(join(folder, 'outside.sh'), join(scripts, 'link.sh'));
    expect(await refused('link.sh')).toContain('out of scripts_dir');
    await symlink('noted.sh', join(scripts, 'alias.sh'));
    await untilStable(server, await start(server, { script: 'alias.sh' }));
    await writeFile(join(scripts, 'open.sh'), SCRIPTS['noted.sh'] ?? '');
    await chmod(join(scripts, 'open.sh'), 0o664);
    expect(await refused('open.sh')).toContain(`chmod go-w ${join(scripts, 'open.sh')}`);
    await mkdir(join(scripts, 'folder.sh'));
    expect(await refused('folder.sh')).toContain('not a regular file');
  });

  test('a profile chooses a script for its sessions, a request for its own', async () => {
    const made = await server.request('/profiles', jsonRequest({ name: 'p', script: 'failing.sh' }));
    expect(made.status).toBe(201);
    const { profile } = profileReply.parse(await made.json());
    expect(profile.script).toBe('failing.sh');
    const begin = async (more: object): Promise<string> => {
      const response = await server.request(
        '/start-with-profile',
        jsonRequest({ profile_id: profile.id, ...more }),
      );
      return startReply.parse(await response.json()).session_id;
    };
    await untilState(server, await begin({}), 'failed');
    await untilStable(server, await begin({ script: 'noted.sh' }));
    const cleared = await server.request(`/profiles/${profile.id}`, {
      ...jsonRequest({ script: '' }),
      method: 'PUT',
    });
    expect(await cleared.text()).not.toContain('failing.sh');
    await untilStable(server, await begin({}));
    const wrong = await errorOf(
      await server.request('/profiles', jsonRequest({ name: 'p', script: '../x.sh' })),
    );
    expect(wrong).toMatchObject({ status: 400, code: 'script_not_allowed' });
  });

  test('a session without a choice is started by agentapi_default.sh, which the operator may replace', async () => {
    const own = join(scripts, 'agentapi_default.sh');
    await writeFile(own, `${HEAD}touch replaced\nexec "$@"`);
    const id = await start(server, {});
    await untilStable(server, id);
    await access(inWorkspace(id, 'replaced'));
    await rm(own);
    const other = await start(server, {});
    await untilStable(server, other);
    await expect(access(inWorkspace(other, 'replaced'))).rejects.toThrow('ENOENT');
  });
});

/** A clone as the server makes it, of nothing. */
function makeRepository(folder: string): void {
  execFileSync('git', ['init', '--quiet', '--initial-branch', 'main', folder]);
}

/** Runs one of the scripts that come with the program, with `echo started` in place of an agent server. */
function runShipped(
  name: string,
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = ['0', '--', 'echo', 'started', '$(touch made)'],
): { status: number | null; output: string } {
  const { PATH = '' } = process.env;
  const script = join(ROOT, 'packages', 'server', 'scripts', name);
  const { status, stdout, stderr } = spawnSync('bash', [script, ...args], {
    cwd,
    env: { PATH, ...env },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

describe('the scripts that come with the program', () => {
  let folder: string;
  beforeEach(async () => {
    // Its name must not be taken for an option or a part of a command.
    folder = join(await mkdtemp(join(tmpdir(), 'scripts-')), '-$(touch made) "x"');
    await mkdir(folder);
  });
  afterEach(async () => {
    await rm(dirname(folder), { recursive: true });
  });

  function clone(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { AGENTAPI_PROXY_REPOSITORY: 'owner/repo', AGENTAPI_PROXY_CLONE_DIR: folder, ...more };
  }

  test('both run what they are given, and nothing that it holds', async () => {
    makeRepository(folder);
    expect(runShipped('agentapi_default.sh', folder)).toEqual({
      status: 0,
      output: 'started $(touch made)\n',
    });
    const { status, output } = runShipped('agentapi_with_github.sh', folder, clone());
    expect(output).toBe('repository owner/repo, main, no commit yet\nstarted $(touch made)\n');
    expect(status).toBe(0);
    expect(await readdir(folder)).toEqual(['.git']);
    expect(await readdir(dirname(folder))).toEqual([basename(folder)]);
  });

  test('both explain themselves to whoever runs them otherwise', () => {
    for (const name of ['agentapi_default.sh', 'agentapi_with_github.sh']) {
      for (const args of [[], ['9000'], ['9000', '--'], ['9000', 'echo', 'started']]) {
        expect(runShipped(name, folder, {}, args)).toEqual({
          status: 64,
          output: `usage: ${name} PORT -- COMMAND [ARGUMENT...]\n`,
        });
      }
    }
  });

  test('DF-43: without the clone that it was promised agentapi_with_github.sh starts nothing', async () => {
    const run = (env: Record<string, string>): string => {
      const { status, output } = runShipped('agentapi_with_github.sh', folder, env);
      expect(status).not.toBe(0);
      expect(output).not.toContain('started');
      return output;
    };
    expect(run({})).toContain('AGENTAPI_PROXY_REPOSITORY');
    expect(run(clone({ AGENTAPI_PROXY_CLONE_DIR: join(folder, 'gone') }))).toContain('is not there');
    expect(run(clone())).toContain('is not a clone of owner/repo');
    makeRepository(dirname(folder));
    expect(run(clone())).toContain('is not a clone of owner/repo: it lies in');
    await mkdir(join(folder, '.git'));
    run(clone());
    makeRepository(folder);
    const elsewhere = { GIT_DIR: '/no/such', GIT_WORK_TREE: '/', GIT_INDEX_FILE: '/no/such' };
    expect(runShipped('agentapi_with_github.sh', folder, clone(elsewhere))).toMatchObject({ status: 0 });
  });
});

describe('start scripts of a server', () => {
  let folder: string;
  let scripts: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-scripts-'));
    scripts = await writeScripts(folder);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test.each(['agentapi_default.sh', 'noted.sh', 'parent.sh', 'busy.sh'])(
    'PX-174: kill -9 of the server: a session started by %s goes on with the next one, and ends without remains',
    async (script) => {
      await using servers = await ServerSeries.start({
        config: { agents: AGENTS, default_agent: 'line', scripts_dir: scripts, stop_grace_seconds: 1 },
      });
      const id = await start(servers.server, { script });
      await untilStable(servers.server, id);
      expect(await ask(servers.server, id, 'before')).toContain('got before');
      const after = await servers.crashAndRestart();
      expect(await getSession(after, id)).toMatchObject({ state: 'running', status: 'active' });
      expect(await ask(after, id, 'after')).toContain('got after');
      await remove(after, id);
      expect(await after.sessionProcesses(id)).toEqual([]);
    },
    60_000,
  );

  test('a resume takes the script of the first start; one that is gone meanwhile is named', async () => {
    await using server = await startServer({
      config: { agents: AGENTS, default_agent: 'line', scripts_dir: scripts },
    });
    const id = await start(server, { script: 'failing.sh' });
    await untilState(server, id, 'failed');
    await writeFile(join(scripts, 'failing.sh'), `${HEAD}exec "$@"`);
    const resume = async (): Promise<number> =>
      (await server.request(`/sessions/${id}/resume`, { method: 'POST' })).status;
    expect(await resume()).toBe(200);
    await untilStable(server, id);
    const [pid = ''] = await server.sessionProcesses(id);
    process.kill(Number(pid.replace('pid ', '')), 'SIGKILL');
    await untilState(server, id, 'failed');
    await rm(join(scripts, 'failing.sh'));
    expect(await resume()).toBe(200);
    const session = await untilState(server, id, 'failed');
    expect(session.reason).toContain('There is no script "failing.sh"');
  });

  test('a session with a repository is started by agentapi_with_github.sh, in the clone', async () => {
    await using forge = await startGitServer();
    await forge.create('o/public', { 'README.md': '# Public\n' });
    await git(join(forge.folder, 'o/public.git'), 'branch', 'feature/login', 'trunk');
    await using server = await startServer({
      config: { agents: AGENTS, default_agent: 'line', scripts_dir: scripts },
      env: { GITHUB_API: forge.apiUrl, GITHUB_TOKEN: 'token-of-the-operator' },
    });
    const tags = { repository: 'o/public', branch: 'feature/login' };
    const id = await start(server, { tags });
    await untilStable(server, id);
    const log = await (await server.request(`/sessions/${id}/log`)).text();
    expect(log).toMatch(/^repository o\/public, feature\/login, [0-9a-f]{7,}$/m);

    const own = await start(server, { tags, script: 'noted.sh', environment: { WORKSPACE_NAME: 'work' } });
    await untilStable(server, own);
    const workspace = join(server.dataDir, 'sessions', own, `work-${own.slice(0, 8)}`);
    const variables = (await readFile(join(workspace, 'environment'), 'utf8')).split('\0');
    expect(variables).toEqual(
      expect.arrayContaining([
        'AGENTAPI_PROXY_REPOSITORY=o/public',
        `AGENTAPI_PROXY_CLONE_DIR=${workspace}`,
        'AGENTAPI_PROXY_BRANCH=feature/login',
      ]),
    );
    // The token of the server was for the clone; nobody has said that agents get it.
    expect(variables.join('\n')).not.toContain('token-of-the-operator');
    expect(await readFile(join(workspace, 'README.md'), 'utf8')).toBe('# Public\n');
  });

  test('DF-43: a resume without the clone that there was fails, and says so', async () => {
    await using forge = await startGitServer();
    await forge.create('o/public', { 'README.md': '# Public\n' });
    await using server = await startServer({
      config: { agents: AGENTS, default_agent: 'line' },
      env: { GITHUB_API: forge.apiUrl },
    });
    const id = await start(server, { tags: { repository: 'o/public' } });
    await untilStable(server, id);
    const [pid = ''] = await server.sessionProcesses(id);
    process.kill(Number(pid.replace('pid ', '')), 'SIGKILL');
    await untilState(server, id, 'failed');
    await rm(join(server.dataDir, 'sessions', id, 'workspace', '.git'), { recursive: true });
    expect((await server.request(`/sessions/${id}/resume`, { method: 'POST' })).status).toBe(200);
    const { reason } = await untilState(server, id, 'failed');
    expect(reason).toMatch(
      /^The script agentapi_with_github\.sh exited with code 1: .* is not a clone of o\/public/,
    );
  });

  test('the script of the configuration starts sessions that name none', async () => {
    await using server = await startServer({
      config: { agents: AGENTS, default_agent: 'line', scripts_dir: scripts, script: 'failing.sh' },
    });
    const { reason } = await untilState(server, await start(server), 'failed');
    expect(reason).toContain('failing.sh');
    await untilStable(server, await start(server, { script: 'agentapi_default.sh' }));
  });

  test('script: none starts agent servers directly', async () => {
    await using server = await startServer({
      config: { agents: AGENTS, default_agent: 'line', scripts_dir: scripts, script: 'none' },
    });
    await writeFile(join(scripts, 'agentapi_default.sh'), `${HEAD}exit 1`);
    await untilStable(server, await start(server));
    await untilStable(server, await start(server, { script: 'none' }));
    const { reason } = await untilState(server, await start(server, { script: 'failing.sh' }), 'failed');
    expect(reason).toContain('failing.sh');
  });

  test('without bash agent servers are started directly, with a warning', async () => {
    const tools = join(folder, 'bin');
    await mkdir(tools);
    for (const name of ['sh', 'node', 'sleep', 'readlink', 'dirname']) {
      await symlink(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(tools, name));
    }
    await using server = await startServer({
      config: { agents: AGENTS, default_agent: 'line' },
      env: { PATH: tools },
    });
    await untilStable(server, await start(server));
    expect(server.logLines()).toContainEqual(
      expect.objectContaining({
        msg: 'no start scripts: agent servers are started directly',
        reason: expect.stringContaining('"bash" was not found'),
      }),
    );
  });

  test('what cannot be right ends the start of the server, naming the field', async () => {
    const attempt = async (config: object): Promise<{ code: number | null; stderr: string }> => {
      const path = join(folder, 'config.json');
      const all = { port: 0, data_dir: join(folder, 'data'), ...config };
      await writeFile(path, JSON.stringify(all));
      return runCommand(['server', '--config', path], { cwd: folder });
    };
    const missing = await attempt({ scripts_dir: 'nowhere' });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('scripts_dir') });
    const unknown = await attempt({ scripts_dir: 'scripts', script: 'unknown.sh' });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/script: .*noted\.sh/) });
    await chmod(scripts, 0o777);
    const open = await attempt({ scripts_dir: 'scripts' });
    expect(open).toMatchObject({ code: 2, stderr: expect.stringContaining('chmod go-w') });
  });

  test('agent_server external: PORT is the one that agentapi gets, and a failing step is told', async () => {
    const agentapi = join(folder, 'agentapi');
    const program = join(ROOT, 'packages', 'agent-server', 'dist', 'program', 'bin.js');
    await writeFile(agentapi, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
    await using server = await startServer({
      config: {
        agent_server: 'external',
        agentapi_path: agentapi,
        start_port: 24_000,
        agents: AGENTS,
        default_agent: 'line',
        scripts_dir: scripts,
      },
    });
    const id = await start(server, { script: 'noted.sh' });
    await untilStable(server, id);
    const noted = await readFile(join(server.dataDir, 'sessions', id, 'workspace', 'arguments'), 'utf8');
    const [port, , command, ...args] = noted.split('\0');
    expect(command).toBe(agentapi);
    expect(args.slice(0, 3)).toEqual(['server', '--port', port]);
    expect(await ask(server, id, 'hello')).toContain('got hello');
    const failed = await untilState(server, await start(server, { script: 'failing.sh' }), 'failed');
    expect(failed.reason).toMatch(/^The script failing\.sh exited with code 2: /);
  });

  test('the script of the documentation works word for word', async () => {
    await writeFile(join(scripts, 'documented.sh'), await testedBlock('docs/scripts.md', 'script'));
    await using server = await startServer({
      config: { agents: AGENTS, default_agent: 'line', scripts_dir: scripts },
    });
    const id = await start(server, { script: 'documented.sh' });
    await untilStable(server, id);
    const note = join(server.dataDir, 'sessions', id, 'workspace', 'NOTES.md');
    expect(await readFile(note, 'utf8')).toBe(`started by ${id}\n`);
  });
});
