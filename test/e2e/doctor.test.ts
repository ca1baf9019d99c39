import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commandLine } from '../support/command-line.ts';
import type { CommandLine } from '../support/command-line.ts';
import { startServer } from '../support/server-process.ts';

const reportSchema = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.strictObject({
      check: z.string(),
      verdict: z.enum(['ok', 'warning', 'broken']),
      text: z.string(),
      advice: z.string().optional(),
    }),
  ),
});
type Report = z.infer<typeof reportSchema>;

async function examine(
  user: CommandLine,
  config: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<Report & { readonly code: number | null; readonly of: (check: string) => Report['findings'] }> {
  await writeFile(
    join(user.home, 'config.json'),
    typeof config === 'string' ? config : JSON.stringify(config),
  );
  const { code, stdout, stderr } = await user.run(['doctor', '--json'], { env });
  expect(stderr).toBe('');
  const report = reportSchema.parse(JSON.parse(stdout));
  return { ...report, code, of: (check) => report.findings.filter((finding) => finding.check === check) };
}

/** Every file below a folder, with its mode, time and content. */
async function everythingIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return Promise.all(
    names.toSorted().map(async (name) => {
      const path = join(folder, name);
      const entry = await stat(path);
      const { mode, mtimeMs } = entry;
      const content = entry.isFile()
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : '';
      return `${name} ${mode} ${mtimeMs} ${content}`;
    }),
  );
}

describe('doctor', { timeout: 120_000 }, () => {
  test('a machine that is in order: exit code 0, and nothing is made', async () => {
    await using user = await commandLine();
    const config = { port: 0, default_agent: 'demo', data_dir: 'data' };
    const report = await examine(user, config);
    expect(report.findings.filter(({ verdict }) => verdict === 'broken')).toEqual([]);
    expect(report).toMatchObject({ code: 0, ok: true });
    expect(report.of('store')[0]?.text).toContain('will be made at the first start');
    expect(report.of('encryption key')[0]?.text).toContain('will be made at the first start');
    expect(report.of('default agent')).toMatchObject([{ verdict: 'ok', text: 'demo' }]);
    expect(await readdir(user.home)).toEqual(['config.json']);
    const { stdout } = await user.run(['doctor']);
    expect(stdout).toMatch(/^✔ Node\.js +\d+\.\d+/);
  });

  test('the data folder of a server that runs, and of one that has stopped, is looked at and left as it is', async () => {
    await using server = await startServer();
    await using user = await commandLine();
    const { id } = await server.client.start();
    await server.client.delete(id);
    const config = { port: server.port, data_dir: server.dataDir, default_agent: 'demo' };
    const running = await examine(user, config);
    expect(running).toMatchObject({ code: 0 });
    expect(running.of('listening port')[0]?.text).toContain('the server is running');
    expect(running.of('encryption key')[0]?.text).toMatch(/opens the store \(key [0-9a-f]{8}\)$/);
    await server.stop();
    const before = await everythingIn(server.dataDir);
    const stopped = await examine(user, config);
    expect(stopped).toMatchObject({ code: 0 });
    expect(stopped.of('store')).toMatchObject([{ verdict: 'ok', text: join(server.dataDir, 'store.db') }]);
    expect(await everythingIn(server.dataDir)).toEqual(before);

    const keyFile = join(server.dataDir, 'encryption.key');
    const key = await readFile(keyFile, 'utf8');
    const check = async (): Promise<string> => {
      const report = await examine(user, config);
      expect(report).toMatchObject({ code: 1, ok: false });
      const text = report
        .of('encryption key')
        .map((each) => `${each.verdict}: ${each.text}`)
        .join();
      expect(text).not.toContain(key.trim());
      return text;
    };
    await rm(keyFile);
    expect(await check()).toMatch(/^broken: .*is missing/);
    await writeFile(keyFile, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
    expect(await check()).toMatch(/^broken: .*is sealed with the encryption key/);
    await writeFile(keyFile, key);
    await chmod(keyFile, 0o644);
    expect(await check()).toMatch(/^broken: .*chmod 600/);
    await chmod(keyFile, 0o600);
    await writeFile(
      join(server.dataDir, 'store.db'),
      'not a database at all, but long enough to be one'.repeat(90),
    );
    const damaged = await examine(user, config);
    expect(damaged).toMatchObject({ code: 1 });
    expect(damaged.of('store')).toMatchObject([{ verdict: 'broken' }]);
  });

  test('what the configuration needs and is not there is broken, with advice', async () => {
    await using user = await commandLine();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const report = await examine(user, {
      port,
      data_dir: 'data',
      start_port: port,
      port_count: 1,
      agent_server: 'external',
      agentapi_path: '/nowhere/agentapi',
      agents: { mine: { command: 'no-such-agent' }, spare: { command: 'no-such-spare' } },
      default_agent: 'mine',
      auth: { enabled: true, keys_file: 'keys.json' },
    });
    taken.close();
    expect(report).toMatchObject({ code: 1, ok: false });
    const broken = report.findings.filter(({ verdict }) => verdict === 'broken').map(({ check }) => check);
    expect(broken.toSorted()).toEqual(
      ['agent mine', 'agent server', 'keys file', 'listening port', 'session ports'].toSorted(),
    );
    expect(report.of('agent spare')).toMatchObject([{ verdict: 'warning' }]);
    expect(report.of('listening port')[0]).toMatchObject({
      text: `${port} on 127.0.0.1 is in use by another program`,
      advice: 'Stop that program, or choose another port.',
    });
  });

  test('a data folder that cannot be used', async () => {
    await using user = await commandLine();
    await writeFile(join(user.home, 'file'), '');
    const report = await examine(user, { port: 0, data_dir: 'file/data', default_agent: 'demo' });
    expect(report.code).toBe(1);
    expect(report.of('data folder')).toMatchObject([{ verdict: 'broken' }]);
    await mkdir(join(user.home, 'open'), { mode: 0o755 });
    const open = await examine(user, { port: 0, data_dir: 'open', default_agent: 'demo' });
    expect(open.of('data folder')).toMatchObject([
      { verdict: 'warning', advice: expect.stringContaining('chmod 700') },
    ]);
  });

  test('PX-007: a configuration that is wrong is exit code 2, with its place', async () => {
    await using user = await commandLine();
    const report = await examine(user, '{"port": "many",\n "auth": {"api_key": "canary-value"}}');
    expect(report).toMatchObject({ code: 2, ok: false });
    expect(report.of('configuration')[0]?.text).toContain('config.json:1');
    expect(JSON.stringify(report)).not.toContain('canary-value');
    const { code } = await user.run(['doctor', '-c', 'nowhere.json']);
    expect(code).toBe(2);
  });

  test('secrets of the configuration are never shown', async () => {
    await using user = await commandLine();
    const key = Buffer.alloc(32, 9).toString('base64');
    const env = { AGENTAPI_PROXY_ENCRYPTION_KEY: key };
    const url = 'postgres://somebody:canary-password@127.0.0.1:9/none';
    const report = await examine(
      user,
      { port: 0, store: { url }, data_dir: 'data', default_agent: 'demo' },
      env,
    );
    expect(report.code).toBe(1);
    expect(report.of('store')).toMatchObject([{ verdict: 'broken' }]);
    expect(report.of('store')[0]?.text).toContain('127.0.0.1:9');
    for (const secret of [key, 'canary-password', 'somebody'])
      expect(JSON.stringify(report)).not.toContain(secret);
  });
});
