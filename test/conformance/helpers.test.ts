import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROLE_PERMISSIONS } from '../../packages/server/src/auth/permissions.ts';
import { runCommand, startServer } from '../support/server-process.ts';

const keyEntry = z.looseObject({
  key: z.string(),
  user_id: z.string(),
  role: z.string(),
  permissions: z.array(z.string()),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
});
const keysFile = z.looseObject({ api_keys: z.array(keyEntry) });

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'agentapi-proxy-helpers-')));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('PX-006: helpers lists all helpers; an unknown one is refused', async () => {
  const { code, stdout } = await runCommand(['helpers']);
  expect(code).toBe(0);
  for (const name of ['generate-token', 'setup-claude-code']) expect(stdout).toContain(`  ${name}`);
  const unknown = await runCommand(['helpers', 'no-such-helper']);
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain("unknown command 'no-such-helper'");
});

describe('helpers generate-token', () => {
  let path: string;
  beforeEach(() => {
    path = join(folder, 'below', 'keys.json');
  });

  async function generate(...args: readonly string[]): ReturnType<typeof runCommand> {
    return runCommand(['helpers', 'generate-token', '--output-path', path, '--user-id', 'alice', ...args], {
      cwd: folder,
    });
  }

  async function keys(): Promise<readonly z.infer<typeof keyEntry>[]> {
    return keysFile.parse(JSON.parse(await readFile(path, 'utf8'))).api_keys;
  }

  test('PX-018: makes the file with one key, which expires in 365 days', async () => {
    const before = Date.now();
    const { code, stdout, stderr } = await generate();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [entry, ...others] = await keys();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ user_id: 'alice', role: 'user' });
    expect(entry?.key).toMatch(/^ap_alice_[0-9a-f]{32}$/);
    const created = Date.parse(entry?.created_at ?? '');
    expect(created).toBeGreaterThanOrEqual(before);
    expect(Date.parse(entry?.expires_at ?? '') - created).toBe(365 * 86_400_000);
    for (const line of [
      `API Key: ${entry?.key ?? ''}`,
      'User ID: alice',
      'Role: user',
      'Permissions: session:create',
    ]) {
      expect(stdout).toContain(line);
    }
    expect(stdout).toMatch(/^Expires at: \d{4}-/m);
  });

  test('PX-019: a second run appends; what the file holds stays, also what nobody knows', async () => {
    await generate();
    const first = await readFile(path, 'utf8');
    const content = keysFile.parse(JSON.parse(first));
    const odd = {
      note: 'mine',
      api_keys: [
        { ...content.api_keys[0], colour: 'red' },
        { key: 'x', user_id: 'y' },
      ],
    };
    await writeFile(path, JSON.stringify(odd));
    expect(await generate('--role', 'admin')).toMatchObject({ code: 0 });
    const after: unknown = JSON.parse(await readFile(path, 'utf8'));
    expect(after).toEqual({
      ...odd,
      api_keys: [...odd.api_keys, expect.objectContaining({ role: 'admin' })],
    });
  });

  test('PX-020, PX-021: each role has its permissions; another role changes nothing', async () => {
    for (const role of ['admin', 'user', 'readonly'] as const) {
      expect(await generate('--role', role)).toMatchObject({ code: 0 });
      expect((await keys()).at(-1)).toMatchObject({ role, permissions: ROLE_PERMISSIONS[role] });
    }
    expect(ROLE_PERMISSIONS.admin).toEqual(['*']);
    const session = ['session:create', 'session:list', 'session:delete', 'session:access'];
    expect(ROLE_PERMISSIONS.user).toEqual(expect.arrayContaining(session));
    expect(ROLE_PERMISSIONS.readonly).toContain('session:list');
    const before = await readFile(path);
    const wrong = await generate('--role', 'owner');
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('invalid role: owner') });
    expect(await readFile(path)).toEqual(before);
  });

  test('PX-022: --permissions is a comma list that may be repeated', async () => {
    const { code, stderr } = await generate('--permissions', 'a, b', '--permissions', 'c');
    expect(code).toBe(0);
    expect(stderr).toContain('no route asks for the permission a, b, c');
    expect((await keys())[0]?.permissions).toEqual(['a', 'b', 'c']);
  });

  test('PX-023: --key-prefix is what the key begins with', async () => {
    await generate('--key-prefix', 'zz');
    expect((await keys())[0]?.key).toMatch(/^zz_alice_/);
    expect(await generate('--key-prefix', 'a b')).toMatchObject({ code: 1 });
  });

  test('PX-024: a file that is not a keys file stays byte for byte, and its content is not shown', async () => {
    await mkdir(join(folder, 'below'));
    for (const text of ['{"api_keys": [', 'secret-content', '[]', '{"api_keys": {}}', '']) {
      await writeFile(path, text);
      const { code, stdout, stderr } = await generate();
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(path);
      expect(stderr).not.toContain('secret-content');
      expect(await readFile(path, 'utf8')).toBe(text);
    }
  });

  test('PX-025, DF-63: of parallel runs none loses a key, and the file ends with mode 0600', async () => {
    await generate();
    await chmod(path, 0o644);
    const runs = await Promise.all(Array.from({ length: 8 }, async () => generate()));
    expect(runs.map(({ code }) => code)).toEqual(Array.from({ length: 8 }, () => 0));
    const printed = runs.map(({ stdout }) => /^API Key: (.*)$/m.exec(stdout)?.[1]);
    const stored = (await keys()).map(({ key }) => key);
    expect(stored).toHaveLength(9);
    expect(stored).toEqual(expect.arrayContaining(printed));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readdir(join(folder, 'below'))).toSorted()).toEqual(['.keys.json.lock', 'keys.json']);
  });

  test('PX-025: a link to the file stays a link', async () => {
    await mkdir(join(folder, 'below'));
    await writeFile(join(folder, 'real.json'), '{"api_keys": []}', { mode: 0o644 });
    await symlink(join(folder, 'real.json'), path);
    expect(await generate()).toMatchObject({ code: 0 });
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await keys()).toHaveLength(1);
    expect((await stat(join(folder, 'real.json'))).mode & 0o777).toBe(0o600);
  });

  test.each(['0', '-1', '1.5', 'x', '', '1e3', '999999'])(
    'PX-026, DF-63: --expiry-days %j is refused, and no file is made',
    async (days) => {
      const { code, stderr } = await generate(`--expiry-days=${days}`);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('--expiry-days') });
      await expect(stat(path)).rejects.toThrow('ENOENT');
    },
  );

  test('PX-027: a key works with a server whose keys_file names the file, whoever it is for', async () => {
    await generate();
    const users = ['alice', 'böse "user"\\$(x)'];
    await runCommand(['helpers', 'generate-token', '--output-path', path, '--user-id', users[1] ?? '']);
    await using server = await startServer({ config: { auth: { enabled: true, keys_file: path } } });
    for (const [index, { key }] of (await keys()).entries()) {
      const answer = await server.request('/me', { headers: { 'X-API-Key': key } });
      expect(await answer.json()).toMatchObject({ user_id: users[index] });
    }
    expect((await server.request('/me')).status).toBe(401);
  });

  test('PX-004: without file or user the flag is named; a user id without a letter is refused', async () => {
    const missing = await runCommand(['helpers', 'generate-token', '--user-id', 'alice']);
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain('--output-path');
    for (const user of ['', '  ', 'a\nb'])
      expect(await generate('--user-id', user)).toMatchObject({ code: 1 });
  });
});

describe('helpers setup-claude-code', () => {
  let home: string;
  let project: string;
  beforeEach(async () => {
    home = join(folder, 'home');
    project = join(folder, 'project');
    await mkdir(home);
  });

  async function setUp(env: Readonly<Record<string, string>> = {}): ReturnType<typeof runCommand> {
    return runCommand(['helpers', 'setup-claude-code'], {
      cwd: folder,
      env: { HOME: home, CLAUDE_DIR: 'project', ...env },
    });
  }

  async function json(...path: readonly string[]): Promise<unknown> {
    return JSON.parse(await readFile(join(...path), 'utf8'));
  }

  const answers = {
    hasTrustDialogAccepted: true,
    hasCompletedProjectOnboarding: true,
    dontCrawlDirectory: true,
  };

  test('without CLAUDE_DIR it says what is missing', async () => {
    const { code, stderr } = await setUp({ CLAUDE_DIR: '' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('CLAUDE_DIR') });
  });

  test('answers the questions about the folder, and runs no program', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'claude'), `#!/bin/sh\ntouch '${folder}/was-run'\n`, { mode: 0o755 });
    const { code, stderr } = await setUp({ PATH: `${bin}:${process.env['PATH'] ?? ''}` });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const settings = { dontCrawlDirectory: true, hasTrustDialogAccepted: true };
    expect(await json(project, '.claude', 'settings.json')).toEqual(settings);
    expect(await json(home, '.claude.json')).toEqual({ projects: { [project]: answers } });
    expect((await stat(join(home, '.claude.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).not.toContain('was-run');
  });

  test('DF-46: what both files hold stays, with their modes; again changes nothing', async () => {
    const settings = join(project, '.claude', 'settings.json');
    await mkdir(join(project, '.claude'), { recursive: true });
    await writeFile(settings, '{"model": "opus", "hasTrustDialogAccepted": false}', { mode: 0o640 });
    const state = { userID: 'x', projects: { '/other': { a: 1 }, [project]: { history: ['h'] } } };
    await writeFile(join(home, '.claude.json'), JSON.stringify(state));
    expect(await setUp()).toMatchObject({ code: 0 });
    const merged = { model: 'opus', hasTrustDialogAccepted: true, dontCrawlDirectory: true };
    expect(await json(settings)).toEqual(merged);
    expect((await stat(settings)).mode & 0o777).toBe(0o640);
    expect(await json(home, '.claude.json')).toEqual({
      userID: 'x',
      projects: { '/other': { a: 1 }, [project]: { history: ['h'], ...answers } },
    });
    const before = await readFile(settings);
    expect(await setUp()).toMatchObject({ code: 0 });
    expect(await readFile(settings)).toEqual(before);
    expect(await readdir(join(project, '.claude'))).toEqual(['settings.json']);
  });

  test('a file that cannot be merged stays as it is', async () => {
    await mkdir(join(project, '.claude'), { recursive: true });
    for (const text of ['{"a": ', '[]', '"x"']) {
      await writeFile(join(project, '.claude', 'settings.json'), text);
      expect(await setUp()).toMatchObject({ code: 1, stderr: expect.stringContaining('settings.json') });
      expect(await readFile(join(project, '.claude', 'settings.json'), 'utf8')).toBe(text);
    }
    expect(await readdir(home)).toEqual([]);
  });

  test('without Claude Code it says so, and the settings are there for later', async () => {
    const tools = join(folder, 'tools');
    await mkdir(tools);
    await symlink(process.execPath, join(tools, 'node'));
    const { code, stderr } = await setUp({ PATH: `${tools}:/usr/bin:/bin`, CLAUDE_CONFIG_DIR: home });
    expect(code).toBe(0);
    expect(stderr).toContain('"claude" was not found');
    expect(await json(home, '.claude.json')).toEqual({ projects: { [project]: answers } });
  });
});
