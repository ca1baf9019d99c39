import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findInPath } from '../../tools/src/outside-parts.ts';
import { codeBlocks, ROOT } from '../support/documents.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const MODULE = join(ROOT, 'clients', 'go');
const MODULE_NAME = 'agentapi-proxy/clients/go';

/** The first compilation, of the standard library with the race detector, takes minutes on a busy machine. */
const COMPILE_TIMEOUT_MS = 600_000;

const goProgram = findInPath('go');

const failedEvent = z.looseObject({
  Action: z.string(),
  Test: z.string().optional(),
  Output: z.string().optional(),
});

describe.skipIf(goProgram === null)('the Go module in clients/go [needs go]', () => {
  let folder: string;
  let server: ServerProcess;
  let key: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-go-'));
    const serverFolder = join(folder, 'server');
    await mkdir(serverFolder);
    server = await startServer({
      folder: serverFolder,
      config: {
        auth: { enabled: true },
        persistence: { enabled: true },
        limits: { failed_keys_per_minute: 0 },
      },
    });
    const config = join(serverFolder, 'config.json');
    const { stdout } = await runCommand([
      'keys',
      'create',
      '--user',
      'root',
      '--role',
      'admin',
      '--json',
      '--config',
      config,
    ]);
    key = z.looseObject({ key: z.string() }).parse(JSON.parse(stdout)).key;
    const headers = { 'x-api-key': key };
    await eventually('the server knows the key', async () => (await server.request('/me', { headers })).ok);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function go(
    args: readonly string[],
    options: { cwd?: string; program?: string; env?: Readonly<Record<string, string>> } = {},
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const { PATH = '', HOME = folder } = process.env;
    // Nothing may be fetched: the module has no dependencies, and must not gain any unnoticed.
    const env = { PATH, HOME, GOPROXY: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', ...options.env };
    const child = spawn(options.program ?? goProgram ?? 'go', args, {
      cwd: options.cwd ?? MODULE,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = await Promise.all([
      child.stdout.setEncoding('utf8').toArray(),
      child.stderr.setEncoding('utf8').toArray(),
      once(child, 'close'),
    ]);
    return { code: child.exitCode, stdout: stdout.join(''), stderr: stderr.join('') };
  }

  test(
    'is formatted, vetted, and uses the standard library only',
    async () => {
      const gofmt = join(dirname(goProgram ?? ''), 'gofmt');
      expect(await go(['-l', '.'], { program: gofmt })).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await go(['vet', './...'])).toEqual({ code: 0, stdout: '', stderr: '' });
      expect((await go(['list', '-m', 'all'])).stdout).toBe(`${MODULE_NAME}\n`);
      expect((await readdir(MODULE)).includes('go.sum')).toBe(false);
    },
    COMPILE_TIMEOUT_MS,
  );

  test(
    'PX-213, PX-214, PX-215, PX-216, PX-217: its tests and examples pass against the server',
    async () => {
      // Compiling the standard library once more, with the race detector, takes minutes.
      const isThorough = process.env['AGENTAPI_PROXY_TEST_THOROUGH'] === '1';
      const canRace = (await go(['env', 'CGO_ENABLED'])).stdout.trim() === '1' && findInPath('gcc') !== null;
      const raceArgs = isThorough && canRace ? ['-race'] : [];
      const { stdout, stderr } = await go(['test', '-json', '-count=1', ...raceArgs, './...'], {
        env: { AGENTAPI_PROXY_ENDPOINT: server.url, AGENTAPI_PROXY_API_KEY: key },
      });
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => failedEvent.parse(JSON.parse(line)));
      const output = events.map((event) => event.Output ?? '').join('');
      const ended = (action: string) =>
        events.filter((event) => event.Action === action && event.Test !== undefined);
      const failed = ended('fail').map((event) => event.Test);
      const result = events.at(-1)?.Action;
      expect({ failed, result, stderr, output: result === 'pass' ? '' : output }).toEqual({
        failed: [],
        result: 'pass',
        stderr: '',
        output: '',
      });
      const passed = ended('pass').map((event) => event.Test);
      expect(passed).toEqual(
        expect.arrayContaining(['TestLiveConversation', 'TestLiveKeysSharesAndTheAuditLog', 'Example']),
      );
      expect(ended('skip')).toEqual([]);
      // They have cleaned up after themselves.
      expect(await server.sessionProcesses()).toEqual([]);
    },
    COMPILE_TIMEOUT_MS,
  );

  test(
    'the programs in its README compile and run word for word',
    async () => {
      await using open = await startServer();
      const blocks = (await codeBlocks('clients/go/README.md')).filter(({ language }) => language === 'go');
      expect(blocks).toHaveLength(2);
      const project = join(folder, 'project');
      await mkdir(project);
      await go(['mod', 'init', 'project'], { cwd: project });
      const edited = await go(
        ['mod', 'edit', `-require=${MODULE_NAME}@v0.1.0`, `-replace=${MODULE_NAME}=${MODULE}`],
        { cwd: project },
      );
      expect(edited).toEqual({ code: 0, stdout: '', stderr: '' });
      for (const [index, { text }] of blocks.entries()) {
        const program = join(project, `example${index}`);
        await mkdir(program);
        const address = /http:\/\/127\.0\.0\.1:8080/g;
        expect(text).toMatch(address);
        await writeFile(join(program, 'main.go'), text.replaceAll(address, open.url));
        const built = await go(['build', '-o', `${program}.out`, `./example${index}`], { cwd: project });
        expect(built).toEqual({ code: 0, stdout: '', stderr: '' });
      }
      const conversation = await go([], { program: join(project, 'example0.out') });
      expect({ ...conversation, stdout: conversation.stdout.trim() }).toEqual({
        code: 0,
        stdout: 'You said: Hello',
        stderr: '',
      });

      const session = await open.client.start();
      await session.waitUntilReady();
      const events = go([session.id], { program: join(project, 'example1.out') });
      await session.sendRaw('/exit\r');
      const { code, stdout, stderr } = await events;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^session ${session.id} has stopped`, 'mu'));
    },
    COMPILE_TIMEOUT_MS,
  );
});
