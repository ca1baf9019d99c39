import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks, ROOT, testedBlock } from '../support/documents.ts';
import { startGitServer } from '../support/git-server.ts';
import type { GitServer } from '../support/git-server.ts';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { search, untilStable } from '../support/wire.ts';

/** Addresses that the documents name; tests put their own server in place of them, and change nothing else. */
const NAMED_ADDRESS = /http:\/\/(?:127\.0\.0\.1|localhost):8080/g;

const KEY = 'key-of-the-readme-0123456789';
const GITHUB_TOKEN = 'ghp_readmeToken0123456789abcdefABCDEFGH';

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): ChildProcess & { done: Promise<Finished> } {
  const { PATH = '' } = process.env;
  const child = spawn(command, args, { cwd, env: { PATH, HOME: cwd }, stdio: ['ignore', 'pipe', 'pipe'] });
  const done = Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close'),
  ]).then(([stdout, stderr]) => ({ code: child.exitCode, stdout: stdout.join(''), stderr: stderr.join('') }));
  return Object.assign(child, { done });
}

let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-readme-'));
  server = await startServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function forTestServer(text: string, { url } = server): string {
  if (text.search(NAMED_ADDRESS) < 0) throw new Error(`no address of a server in:\n${text}`);
  return text.replaceAll(NAMED_ADDRESS, url);
}

describe.concurrent('the shell blocks of README.md, run by sh word for word', () => {
  test('quick start: a session is started, answers "Hello", and nothing of it is left', async () => {
    const script = forTestServer(await testedBlock('README.md', 'quick start'));
    const { code, stdout, stderr } = await run('sh', ['-e', '-c', script], folder).done;
    // The time limit of the event stream is the only thing curl complains about.
    expect(stderr).toMatch(/^(?:curl: \(28\) [^\n]*\n)?$/);
    expect(code).toBe(0);
    // POST /message, the event stream, GET /messages, DELETE: in this order.
    const [sent = '', ...rest] = stdout.split('\n');
    expect(sent).toMatch(/\{.*"ok":true\}$/);
    const after = rest.join('\n');
    const events = after.slice(0, after.indexOf('"messages"'));
    expect(events).toMatch(/^event: message_update$/m);
    expect(events).toContain('You said: Hello');
    expect(events).toMatch(/^event: status_change$/m);
    const replies = after.slice(after.indexOf('"messages"'));
    expect(replies).toMatch(/"content":"Hello".*"role":"user"/);
    expect(replies).toMatch(/"content":"You said: Hello[^"]*".*"role":"agent"/);
    const deleted = /\{"message":"Session terminated successfully","session_id":"([^"]+)"/.exec(stdout)?.[1];
    expect(deleted).toBeDefined();
    expect(await server.sessionProcesses(deleted)).toEqual([]);
  });

  test('start with a message: agent, message, environment and tags arrive, and the tag finds the session', async () => {
    const script = forTestServer(await testedBlock('README.md', 'start with a message'));
    const { code, stdout, stderr } = await run('sh', ['-e', '-c', script], folder).done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const ids = Array.from(stdout.matchAll(/"session_id":"([^"]+)"/g), ([, id]) => id);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
    const session = server.client.session(ids[0] ?? '');
    await session.waitUntilReady();
    expect((await session.messages()).map(({ content }) => content.trim())).toContain('You said: Say hello');
    expect(await session.details()).toMatchObject({ agent: 'demo', environment_names: ['EDITOR'] });
    await session.delete();
  });
});

describe.concurrent('the TypeScript blocks, compiled and run word for word', () => {
  let project: string;
  let forge: GitServer;
  /** Wants a key, and knows a repository. */
  let guarded: ServerProcess;
  beforeAll(async () => {
    forge = await startGitServer();
    await forge.create('acme/site', { 'README.md': '# Site\n' });
    forge.allow(GITHUB_TOKEN, 'acme/site');
    forge.onApi(({ method, url }) =>
      method === 'POST' && url.pathname === '/repos/acme/site/pulls'
        ? { status: 201, body: { number: 1, html_url: `${forge.url}acme/site/pull/1` } }
        : null,
    );
    guarded = await startServer({
      config: {
        auth: {
          enabled: true,
          api_keys: [{ key: KEY, user_id: 'ada', role: 'admin', permissions: ['*'] }],
        },
      },
      env: { GITHUB_API: forge.apiUrl, GITHUB_TOKEN },
    });
    project = join(folder, 'project');
    await mkdir(project);
    await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    await writeFile(join(project, 'package.json'), '{"type": "module"}');
    await writeFile(join(project, 'readme.ts'), forTestServer(await testedBlock('README.md', 'typescript')));
    const blocks = await codeBlocks('packages/client/README.md');
    const programs = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
    const [
      conversation = '',
      events = '',
      queue = '',
      searching = '',
      changes = '',
      people = '',
      errors = '',
      ...others
    ] = programs;
    if (errors === '' || others.length > 0) throw new Error('the client README has not seven examples');
    const ongoing = await server.client.start({ tags: { role: 'read by the events example' } });
    await Promise.all([
      writeFile(join(project, 'conversation.ts'), forTestServer(conversation)),
      writeFile(join(project, 'queue.ts'), forTestServer(queue)),
      // What a reader has to fill in: an id here, a key below.
      writeFile(join(project, 'events.ts'), forTestServer(events.replace("'3f0c…'", `'${ongoing.id}'`))),
      writeFile(join(project, 'searching.ts'), forTestServer(searching)),
      writeFile(join(project, 'changes.ts'), forTestServer(changes.replace("'my-key'", `'${KEY}'`), guarded)),
      writeFile(join(project, 'people.ts'), forTestServer(people.replace("'my-key'", `'${KEY}'`), guarded)),
      writeFile(join(project, 'errors.ts'), forTestServer(errors)),
    ]);
    const options = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
    const names = ['readme', 'conversation', 'events', 'queue', 'searching', 'changes', 'people', 'errors'];
    const files = names.map((name) => `${name}.ts`);
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    const { code, stdout } = await run(tsc, [...options, '--skipLibCheck', ...files], project).done;
    if (code !== 0) throw new Error(`the examples do not compile:\n${stdout}`);
  });
  afterAll(async () => {
    await guarded[Symbol.asyncDispose]();
    await forge[Symbol.asyncDispose]();
  });

  async function runProgram(name: string): Promise<string> {
    const { code, stdout, stderr } = await run(process.execPath, [`${name}.js`], project).done;
    expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
    return stdout;
  }

  test('README.md: the answer is printed and the session is gone', async () => {
    expect((await runProgram('readme')).trim()).toBe('You said: Hello');
  });

  test('client README, a conversation', async () => {
    expect((await runProgram('conversation')).trim()).toBe('You said: Hello');
  });

  test('client README, searching', async () => {
    const alice = await server.client.start({ user_id: 'alice' });
    expect(await runProgram('searching')).toContain(`${alice.id} `);
  });

  test('client README, what the agent has changed', async () => {
    const printed = await runProgram('changes');
    expect(printed).toMatch(/^0 0 /);
    expect(printed).toMatch(/^[0-9a-f]{40} created http:\S+acme\/site\/pull\/1$/m);
  });

  test('client README, profiles, keys, shares, audit', async () => {
    const printed = await runProgram('people');
    expect(printed).toContain("user_id: 'ada'");
    expect(printed).toMatch(/^\d{4}-\S+ ada$/m);
  });

  test('client README, errors', async () => {
    expect(await runProgram('errors')).toBe('');
  });

  test('client README, events: ends with the session', async () => {
    const [ongoing] = await search(server, `?tag.role=${encodeURIComponent('read by the events example')}`);
    const id = ongoing?.session_id ?? '';
    await untilStable(server, id);
    const child = run(process.execPath, ['events.js'], project);
    let printed = '';
    child.stdout?.on('data', (chunk) => {
      printed += String(chunk);
    });
    await eventually('the events are printed', () => printed.includes('waits for input'));
    await server.client.delete(id);
    const { code, stderr } = await child.done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(printed).toMatch(/^0 agent .*demo agent/m);
  });
});

describe('the configurations', () => {
  test.each(['README.md', 'docs/configuration.md', 'docs/agents.md', 'docs/security.md', 'docs/scripts.md'])(
    'the example in %s is accepted word for word',
    async (file) => {
      const own = await mkdtemp(join(folder, 'configuration-'));
      const example = await testedBlock(file, 'configuration');
      await writeFile(join(own, 'example.json'), example);
      await mkdir(join(own, 'scripts'));
      const keys = (await codeBlocks('docs/security.md')).find(({ text }) => text.includes('api_keys'));
      await writeFile(join(own, 'keys.json'), keys?.text ?? '', { mode: 0o600 });
      await using configured = await startServer({
        folder: own,
        // The last of two options counts.
        args: ['--config', 'example.json'],
        env: { AGENTAPI_PROXY_PORT: '0', AGENTAPI_PROXY_DATA_DIR: join(own, 'data') },
      });
      expect((await configured.request('/health')).status).toBe(200);
      expect(configured.logLines()).not.toContainEqual(expect.objectContaining({ level: 'warn' }));
    },
  );
});
