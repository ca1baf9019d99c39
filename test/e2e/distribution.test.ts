import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findInPath, findPart, nodeFolder } from '../../tools/src/outside-parts.ts';
import type { NodeVersion } from '../../tools/src/outside-parts.ts';
import { dockerContext, dockerfileStages } from '../support/dockerfile.ts';
import { ROOT, testedBlock } from '../support/documents.ts';
import { endSessionProcesses, eventually } from '../support/server-process.ts';

/** An installation fetches a hundred packages and compiles SQLite: a minute, on a busy machine several. */
const INSTALL_TIMEOUT_MS = 900_000;

/** Versions of Node that only `make e2e` tries: each installation takes a minute. CI tries the image's. */
const isThorough = process.env['AGENTAPI_PROXY_TEST_THOROUGH'] === '1';
/** Versions that the packages are installed on; the steps of the Dockerfile are another installation, on the newest. */
const OTHER_VERSIONS: readonly NodeVersion[] = isThorough ? ['node20', 'node22'] : [];
const IMAGE_VERSIONS: readonly NodeVersion[] = isThorough ? ['node24'] : [];

const PACKAGES = ['packages/agent-server', 'packages/client', 'packages/server'];

const packReport = z.array(
  z.looseObject({
    name: z.string(),
    unpackedSize: z.number(),
    files: z.array(z.looseObject({ path: z.string() })),
  }),
);

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> {
  const { PATH = '', HOME = '/' } = process.env;
  const env = { PATH, HOME, LANG: 'C.UTF-8', ...options.env };
  const child = spawn(command, args, { cwd: options.cwd ?? ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** PATH and headers of a version of Node; npm is that of this machine, run by that version. */
async function toolchain(folder: string, version: NodeVersion): Promise<Record<string, string>> {
  const node = nodeFolder(version);
  const bin = join(folder, `bin-${version}`);
  await mkdir(bin, { recursive: true });
  const npm = await realNpm();
  for (const [name, file] of [
    ['npm', 'npm-cli.js'],
    ['npx', 'npx-cli.js'],
  ] as const) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec node ${join(npm, file)} "$@"\n`, { mode: 0o755 });
  }
  const path = [bin, join(node, 'bin'), process.env['PATH'] ?? ''].join(delimiter);
  return { PATH: path, npm_config_nodedir: node, npm_config_prefer_offline: 'true' };
}

async function realNpm(): Promise<string> {
  const { stdout } = await run('npm', ['root', '--global']);
  return join(stdout.trim(), 'npm', 'bin');
}

/** Packs all packages into `folder` and returns the files' paths. */
async function pack(folder: string): Promise<readonly string[]> {
  const workspaces = PACKAGES.flatMap((path) => ['--workspace', path]);
  const { code, stderr } = await run('npm', ['pack', ...workspaces, '--pack-destination', folder]);
  if (code !== 0) throw new Error(stderr);
  return (await readdir(folder)).filter((name) => name.endsWith('.tgz')).map((name) => join(folder, name));
}

interface Trial {
  readonly env: Readonly<Record<string, string>>;
  /** Text of the configuration file. */
  readonly config?: string;
  readonly whileRunning?: (url: string) => Promise<void>;
}

/**
 * Starts an installed server, has one conversation, and stops the server: it works as a whole. Where the
 * configuration asks for keys, the installed command makes the first.
 */
async function expectWorks(command: string, { env, config = '{}', whileRunning }: Trial): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'agentapi-proxy-installed-'));
  const dataDir = join(home, 'data');
  await writeFile(join(home, 'config.json'), config);
  const all = { HOME: home, ...env, AGENTAPI_PROXY_PORT: '0', AGENTAPI_PROXY_DATA_DIR: dataDir };
  const child = spawn(command, ['server'], { cwd: home, env: all, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  try {
    const listening = await eventually(
      'the installed server listens',
      () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output}`);
        return /"url":"(http:[^"]+)"/.exec(output)?.[1];
      },
      60_000,
    );
    const url = listening.replace('0.0.0.0', '127.0.0.1');
    const anonymous = createClient({ baseUrl: url });
    let client = anonymous;
    if (config.includes('auth')) {
      await expect(anonymous.start()).rejects.toMatchObject({ kind: 'unauthorized' });
      const args = ['keys', 'create', '--user', 'root', '--role', 'admin', '--json'];
      const { stdout, stderr } = await run(command, args, { cwd: home, env: all });
      const apiKey = /"key": *"([^"]+)"/.exec(stdout)?.[1];
      if (apiKey === undefined) throw new Error(`no key:\n${stderr}`);
      client = createClient({ baseUrl: url, apiKey });
      await eventually('the server knows the key', async () => client.me().catch(() => undefined));
    }
    const session = await client.start({ agent: 'demo' });
    expect((await session.sendAndWait('Hello')).text.trim()).toBe('You said: Hello');
    await whileRunning?.(url);
    expect((await session.delete()).status).toBe('terminated');
    child.kill('SIGTERM');
    await exited;
    expect(child.exitCode).toBe(0);
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    await endSessionProcesses(dataDir);
    await rm(home, { recursive: true, force: true });
  }
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-distribution-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the npm packages', () => {
  test('hold what they need and nothing else', async () => {
    const workspaces = PACKAGES.flatMap((path) => ['--workspace', path]);
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--silent', ...workspaces]);
    const reports = packReport.parse(JSON.parse(stdout.slice(stdout.indexOf('['))));
    const documents = new Map(
      reports.map(({ name, files }) => [
        name,
        files
          .map(({ path }) => path)
          .filter((path) => !/^dist\/.*\.(?:js|d\.ts)$|^dist\/console\//u.test(path)),
      ]),
    );
    expect(Object.fromEntries(documents)).toEqual({
      '@agentapi-proxy/agent-server': ['LICENSE', 'README.md', 'dist/program/licenses.txt', 'package.json'],
      '@agentapi-proxy/client': ['LICENSE', 'README.md', 'package.json'],
      'agentapi-proxy': [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'agentapi-proxy.json',
        'config.schema.json',
        'dist/program/licenses.txt',
        'package.json',
        'scripts/agentapi_default.sh',
        'scripts/agentapi_with_github.sh',
      ],
    });
    for (const { files } of reports) {
      expect(
        files
          .map(({ path }) => path)
          .filter((path) => /\.test\.|\.ts$/u.test(path) && !path.endsWith('.d.ts')),
      ).toEqual([]);
    }
    const main = reports.find(({ name }) => name === 'agentapi-proxy');
    const shipped = main?.files.map(({ path }) => path) ?? [];
    expect(shipped).toEqual(expect.arrayContaining(['dist/program/bin.js', 'dist/console/index.html']));
    expect(shipped.filter((path) => path.startsWith('dist/console/') && path.endsWith('.map'))).toEqual([]);
    // What was copied in for packing is gone again.
    expect(await readdir(join(ROOT, 'packages/server'))).not.toContain('CHANGELOG.md');
  });

  test('fit together: they name each other by the version that they have', async () => {
    const manifest = z.looseObject({
      name: z.string(),
      version: z.string(),
      dependencies: z.record(z.string(), z.string()),
    });
    const texts = await Promise.all(
      PACKAGES.map(async (path) => readFile(join(ROOT, path, 'package.json'), 'utf8')),
    );
    const manifests = texts.map((text) => manifest.parse(JSON.parse(text)));
    const versions = new Map(manifests.map(({ name, version }) => [name, version]));
    expect(new Set(versions.values()).size).toBe(1);
    for (const { dependencies } of manifests) {
      for (const [name, version] of versions) expect([undefined, version]).toContain(dependencies[name]);
    }
  });

  for (const version of OTHER_VERSIONS) {
    test.skipIf(findPart(version) === null)(
      `are installed by npm and work on ${version} [needs ${version}]`,
      async () => {
        const own = join(folder, version);
        await mkdir(own);
        const tarballs = await pack(own);
        const env = await toolchain(own, version);
        const prefix = join(own, 'prefix');
        const installed = await run('npm', ['install', '--global', '--prefix', prefix, ...tarballs], {
          env,
          cwd: own,
        });
        if (installed.code !== 0) throw new Error(installed.stderr);
        const { stdout } = await run('node', ['--version'], { env });
        expect(stdout).toMatch(new RegExp(`^v${version.slice('node'.length)}\\.`, 'u'));
        await expectWorks(join(prefix, 'bin', 'agentapi-proxy'), { env });
      },
      INSTALL_TIMEOUT_MS,
    );
  }
});

describe('the image', () => {
  test.skipIf(findPart('hadolint') === null)('its Dockerfile passes hadolint [needs hadolint]', async () => {
    const found = await run(findPart('hadolint') ?? '', ['Dockerfile']);
    expect(found).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  for (const version of IMAGE_VERSIONS) {
    test.skipIf(findPart(version) === null)(
      `the steps of its Dockerfile, run in a folder, make a server that works with its environment, and is healthy [needs ${version}]`,
      async () => {
        const own = join(folder, 'image');
        const [build = [], final = []] = await dockerfileStages();
        const all = [...build, ...final];
        const valueOf = (name: string): string => final.findLast((each) => each.name === name)?.value ?? '';
        expect(
          all
            .filter(({ name }) => name === 'FROM')
            .map(({ value }) => value.startsWith(`node:${version.slice('node'.length)}-`)),
        ).toEqual([true, true]);
        const env = await toolchain(own, version);

        // Folders of the image are folders below `own` here; nothing else is changed.
        const inside = (text: string): string =>
          text
            .replaceAll(/(?<=^|[\s'"])\/(?=src\b|opt\b)/gu, `${own}/`)
            .replaceAll('npm_config_nodedir=/usr/local', `npm_config_nodedir=${nodeFolder(version)}`);
        const source = join(own, 'src');
        await mkdir(source, { recursive: true });
        for (const { name, value } of build.slice(1)) {
          if (name === 'COPY') {
            expect(value).toBe('. .');
            const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard']);
            for (const file of await dockerContext(stdout.trim().split('\n'))) {
              await mkdir(dirname(join(source, file)), { recursive: true });
              await cp(join(ROOT, file), join(source, file)).catch((error: unknown) => {
                if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
              });
            }
          } else if (name === 'RUN') {
            const { code, stdout, stderr } = await run('sh', ['-c', inside(value)], { cwd: source, env });
            expect({ code, output: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, output: '' });
          } else {
            expect({ name, value }).toEqual({ name: 'WORKDIR', value: '/src' });
          }
        }

        const variables = Object.fromEntries(
          Array.from(valueOf('ENV').matchAll(/(\w+)=(\S*)/gu), ([, name = '', value = '']) => [name, value]),
        );
        expect(JSON.parse(valueOf('ENTRYPOINT'))).toEqual(['tini', '--', 'agentapi-proxy']);
        expect(JSON.parse(valueOf('CMD'))).toEqual(['server']);
        expect(valueOf('WORKDIR')).toBe('/app');
        expect(valueOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/u);
        const command = join(own, 'opt/agentapi-proxy/bin/agentapi-proxy');
        const imageEnv = { ...env, ...variables };

        const refused = await run(command, ['server'], {
          cwd: own,
          env: { ...imageEnv, AGENTAPI_PROXY_DATA_DIR: join(own, 'data') },
        });
        expect(refused.code).toBe(2);
        expect(refused.stderr).toContain('allow_insecure_bind');

        const health = z
          .array(z.string())
          .parse(JSON.parse(/CMD (\[.*\])$/u.exec(valueOf('HEALTHCHECK'))?.[1] ?? ''));
        const [program = '', ...args] = health;
        const config = await testedBlock('docs/install.md', 'configuration with keys');
        await expectWorks(command, { env: imageEnv, config });
        await expectWorks(command, {
          env: { ...imageEnv, AGENTAPI_PROXY_ALLOW_INSECURE_BIND: 'true' },
          whileRunning: async (url) => {
            const healthEnv = { ...imageEnv, AGENTAPI_PROXY_PORT: new URL(url).port };
            expect(await run(program, args, { env: healthEnv })).toEqual({ code: 0, stdout: '', stderr: '' });
          },
        });
        const sick = await run(program, args, { env: { ...imageEnv, AGENTAPI_PROXY_PORT: '1' } });
        expect(sick.code).toBe(1);
      },
      INSTALL_TIMEOUT_MS,
    );
  }
});

describe('what describes the distribution', () => {
  test.skipIf(findPart('actionlint') === null)(
    'the workflows pass actionlint [needs actionlint]',
    async () => {
      const found = await run(findPart('actionlint') ?? '', ['-no-color']);
      expect(found).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );

  test('every action is pinned to a commit, and no workflow may write unless a job says so', async () => {
    const workflows = (await readdir(join(ROOT, '.github/workflows'))).toSorted();
    expect(workflows).toEqual(['ci.yml', 'release.yml']);
    for (const file of workflows) {
      const text = await readFile(join(ROOT, '.github/workflows', file), 'utf8');
      const actions = Array.from(text.matchAll(/uses: (\S+)(.*)/gu));
      expect(actions.length).toBeGreaterThan(0);
      for (const [, action, comment] of actions) {
        expect([action, comment]).toEqual([
          expect.stringMatching(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/u),
          expect.stringMatching(/^ # v\d+\.\d+\.\d+$/u),
        ]);
      }
      expect(text).toMatch(/^permissions:(?: \{\}|\n {2}contents: read)$/mu);
    }
  });

  test.skipIf(findPart('compose') === null)(
    'docker-compose.yaml is understood, with and without PostgreSQL [needs compose]',
    async () => {
      const { code, stdout, stderr } = await run(findPart('compose') ?? '', [
        '-format',
        'json',
        'docker-compose.yaml',
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const service = z.looseObject({
        profiles: z.array(z.string()).optional(),
        depends_on: z.unknown().optional(),
      });
      const model = z.looseObject({ services: z.record(z.string(), service) }).parse(JSON.parse(stdout));
      expect(Object.entries(model.services).map(([name, { profiles }]) => [name, profiles])).toEqual([
        ['agentapi-proxy', undefined],
        ['postgres', ['postgres']],
      ]);
      expect(model.services['agentapi-proxy']?.depends_on).toMatchObject({ postgres: { required: false } });
    },
  );

  test('the systemd unit keeps sessions, and lets the server and its agents write where they must', async () => {
    const unit = await readFile(join(ROOT, 'deploy/agentapi-proxy.service'), 'utf8');
    const settings = unit.split('\n').filter((line) => /^\w+=/u.test(line));
    expect(settings).toContain('KillMode=process');
    expect(settings.filter((line) => /^(?:PrivateTmp|RemoveIPC)=/u.test(line))).toEqual([]);
    // Everything else is read-only; uploads and the scratch files of agents are below /tmp.
    expect(settings).toContain('ProtectSystem=strict');
    expect(settings).toContain('StateDirectory=agentapi-proxy');
    expect(settings).toContain('ReadWritePaths=/tmp /var/tmp');
  });

  test.skipIf(findInPath('systemd-analyze') === null)(
    'the systemd unit is understood [needs systemd]',
    async () => {
      const unit = await readFile(join(ROOT, 'deploy/agentapi-proxy.service'), 'utf8');
      // It is checked that the program is there.
      const own = join(folder, 'agentapi-proxy.service');
      await writeFile(own, unit.replaceAll('/usr/local/bin/agentapi-proxy', '/bin/true'));
      const { code, stderr } = await run('systemd-analyze', ['verify', '--man=no', own]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );
});
