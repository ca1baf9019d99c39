import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commandLine } from '../support/command-line.ts';
import type { CommandLine, Finished } from '../support/command-line.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/;
const recordSchema = z.looseObject({ kind: z.string() });
const turnSchema = z.looseObject({ session_id: z.string(), text: z.string(), replies: z.array(z.unknown()) });
const listSchema = z.object({
  sessions: z.array(z.looseObject({ session_id: z.string(), state: z.string() })),
});

// Each command is a process of its own, and some tests run a dozen.
const PATIENCE = { timeout: 120_000 };

describe('the client commands against a server', PATIENCE, () => {
  let server: ServerProcess;
  let user: CommandLine;
  beforeAll(async () => {
    server = await startServer({ config: { agents: { broken: { command: '/bin/false' } } } });
    user = await commandLine({ AGENTAPI_PROXY_ENDPOINT: server.url });
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const client = async (...args: readonly string[]): Promise<Finished> => user.run(['client', ...args]);

  async function startSession(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await client('start', ...args);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(UUID);
    expect(stderr).toBe(`Session ${stdout.trim()} is starting\n`);
    return stdout.trim();
  }

  test('DF-61: a conversation: start, send and wait, history, status, logs, delete', async () => {
    const id = await startSession('--wait', '--tag', 'team=docs');
    const answer = await client('send', '-s', id, '--wait', 'Hello there');
    expect(answer).toEqual({ code: 0, stdout: 'You said: Hello there\n', stderr: '' });
    const history = await client('history', id);
    expect(history.stdout).toMatch(
      /^Conversation History \(3 messages\):\n\[\d\d:\d\d:\d\d\] agent: .*\n(?:.*\n)*\[\d\d:\d\d:\d\d\] user: Hello there\n\[\d\d:\d\d:\d\d\] agent: You said: Hello there\n$/,
    );
    expect(await client('status', id)).toEqual({ code: 0, stdout: 'Agent Status: stable\n', stderr: '' });
    expect((await client('logs', '-n', '5', id)).stdout).toContain('Server started');
    const shown = await client('show', id);
    expect(shown.stdout).toMatch(/^Session:\s+[0-9a-f-]+\nState:\s+running\nAgent:\s+demo /);
    expect(shown.stdout).toContain('team=docs');
    expect(await client('delete', id)).toEqual({ code: 0, stdout: `Session ${id} deleted\n`, stderr: '' });
    expect((await client('status', id)).code).toBe(3);
  });

  test('a session is named by the beginning of its id', async () => {
    const ids = [await startSession(), await startSession()];
    for (const id of ids)
      expect(await client('show', id.slice(0, 13))).toMatchObject({ code: 0, stderr: '' });
    const nobody = await client('show', 'zzzz');
    expect(nobody).toMatchObject({ code: 3, stdout: '' });
    expect(nobody.stderr).toContain('no session begins with "zzzz"');
    const removed = await client('delete', ...ids.map((id) => id.slice(0, 18)));
    expect(removed.stdout).toBe(ids.map((id) => `Session ${id} deleted\n`).join(''));
  });

  test('nothing is deleted when one of several ids is unknown', async () => {
    const id = await startSession();
    expect(await client('delete', id, 'zzzz')).toMatchObject({ code: 3, stdout: '' });
    expect(await client('show', id)).toMatchObject({ code: 0 });
    await client('delete', id);
  });

  test('JSON: objects, one document a line for streams, nothing else on standard output', async () => {
    const started = await client('start', '--wait', '--json');
    const { session_id: id } = z.object({ session_id: z.string() }).parse(JSON.parse(started.stdout));
    const waited = await user.run(['client', '--json', '-s', id, 'send', '--wait'], {
      input: 'two\nlines\n',
    });
    expect(turnSchema.parse(JSON.parse(waited.stdout)).text).toContain('two');
    const followed = await client('send', '--json', '-s', id, '--follow', 'again');
    const records = followed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => recordSchema.parse(JSON.parse(line)));
    expect(records.length).toBeGreaterThan(1);
    expect(records.slice(0, -1).every(({ kind }) => kind === 'message_update')).toBe(true);
    expect(records.at(-1)).toMatchObject({ kind: 'turn', text: expect.stringContaining('You said: again') });
    const listed = listSchema.parse(JSON.parse((await client('list', '--json')).stdout));
    expect(listed.sessions.map(({ session_id }) => session_id)).toContain(id);
    for (const command of ['show', 'status', 'history', 'logs']) {
      expect(JSON.parse((await client(command, id, '--json')).stdout)).toBeTypeOf('object');
    }
    await using events = user.start(['client', 'events', '--json', id]);
    await events.printed('"kind":"status_change"');
    expect(await client('delete', id, '--json')).toMatchObject({ code: 0 });
    // The stream ends with the session.
    const { code, stdout } = await events.done;
    expect(code).toBe(0);
    for (const line of stdout.trimEnd().split('\n')) recordSchema.parse(JSON.parse(line));
  });

  test('list selects by tag, state and number, and writes whole ids where nobody looks', async () => {
    const id = await startSession('-t', 'list=one', '-t', 'wide=日本語');
    const other = await startSession('-t', 'list=two');
    const listed = await client('list', '-t', 'list=one');
    expect(listed.stdout.split('\n')).toHaveLength(3);
    expect(listed.stdout).toMatch(/^ID +STATE +AGENT +USER +STARTED +WORKSPACE +TAGS\n/);
    expect(listed.stdout).toContain(id);
    expect(listed.stdout).toContain('list=one wide=日本語\n');
    await client('delete', other);
    expect((await client('list', '-t', 'list=two')).stdout).toBe('No sessions\n');
    expect(
      (await client('list', '--state', 'creating,starting,running', '-n', '1')).stdout.split('\n'),
    ).toHaveLength(3);
    await client('delete', id);
  });

  test('variables come from the command line, the environment and a file', async () => {
    await writeFile(join(user.home, 'agent.env'), 'FROM_FILE="of the file"\nBOTH=file\n');
    const { stdout } = await user.run(
      ['client', 'start', '--env', 'BOTH=option', '--env', 'FROM_HERE', '--env-from', 'agent.env'],
      { env: { FROM_HERE: 'of the environment' } },
    );
    const shown = await client('show', stdout.trim());
    expect(shown.stdout).toMatch(/^Variables: +BOTH FROM_FILE FROM_HERE$/m);
    expect(shown.stdout).not.toContain('of the environment');
    await client('delete', stdout.trim());
  });

  test('a message to an agent that works is exit code 6; a wait that takes too long is 7', async () => {
    const id = await startSession('--wait');
    await client('send', '-s', id, '/work 20');
    const busy = await client('send', '-s', id, 'now');
    expect(busy).toMatchObject({ code: 6, stdout: '' });
    expect(busy.stderr).toMatch(/^HTTP error \d+: .*waiting for user input.*\n.*--wait/);
    const late = await client('send', '-s', id, '--wait', '--timeout', '1s', 'now');
    expect(late).toMatchObject({ code: 7, stdout: '' });
    expect(late.stderr).toContain('longer than 1000 ms');
    await client('delete', id);
  });

  test('a session that fails is exit code 1 with its last output; a stopped one is resumed', async () => {
    const failed = await client('start', '--wait', '--agent', 'broken');
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(/Error: Session \S+ has (failed|stopped)/);
    const unknown = await client('start', '--agent', 'nobody');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('HTTP error 400');

    const id = await startSession('--wait');
    await client('send', '-s', id, '/exit 0');
    await user.run(['client', 'events', '--follow', id]);
    expect((await client('list', '--state', 'stopped')).stdout).toContain(id);
    expect((await client('list')).stdout).not.toContain(id);
    expect((await client('list', '--all')).stdout).toContain(id);
    const again = await client('resume', id.slice(0, 13), '--wait');
    expect(again).toMatchObject({ code: 0, stdout: `Session ${id} resumed\n` });
    expect((await client('resume', id)).code).toBe(6);
    await client('delete', id);
  });

  test('profiles are listed, shown and started from, by name; their values stay hidden', async () => {
    const environment = { TOKEN: 'profile-secret' };
    const { profile } = await server.client.profiles.create({ name: 'reviewer', agent: 'demo', environment });
    expect((await client('profiles', 'list')).stdout).toMatch(/^ID +NAME .*\n\S+ +reviewer +demo/);
    const shown = await client('profiles', 'show', 'reviewer');
    expect(shown.stdout).toContain(profile.id);
    expect(shown.stdout).not.toContain('profile-secret');
    expect(await client('profiles', 'show', 'nobody')).toMatchObject({ code: 3 });
    const id = await startSession('--profile', 'reviewer');
    expect((await client('show', id)).stdout).toContain('TOKEN');
    await client('delete', id);
  });
});

describe('the client commands with authentication', PATIENCE, () => {
  test('no key and a wrong key are exit code 4, somebody else’s session too; shares let them in', async () => {
    const api_keys = ['alice', 'bob'].map((user_id) => ({
      key: `key-of-${user_id}`,
      user_id,
      permissions: ['session:create', 'session:list', 'session:access', 'session:delete'],
    }));
    await using server = await startServer({ config: { auth: { enabled: true, api_keys } } });
    const common = { AGENTAPI_PROXY_ENDPOINT: server.url };
    await using stranger = await commandLine(common);
    await using alice = await commandLine({ ...common, AGENTAPI_PROXY_API_KEY: 'key-of-alice' });
    await using bob = await commandLine({ ...common, AGENTAPI_PROXY_API_KEY: 'key-of-bob' });
    for (const args of [[], ['--api-key', 'wrong']]) {
      const { code, stdout, stderr } = await stranger.run(['client', 'list', ...args]);
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toMatch(/^HTTP error 401: .*\nGive a key with AGENTAPI_PROXY_API_KEY/);
    }
    const id = (await alice.run(['client', 'start', '--wait'])).stdout.trim();
    const foreign = await bob.run(['client', 'status', id]);
    expect(foreign).toMatchObject({ code: 4, stdout: '' });
    expect(foreign.stderr).toContain('HTTP error 403');

    const share = ['client', '-s', id, 'share'];
    expect((await alice.run([...share, 'grant', 'bob', '--expires', '1h'])).stdout).toMatch(
      /^bob may read session/,
    );
    expect(await bob.run(['client', 'status', id])).toMatchObject({ code: 0 });
    expect(await bob.run(['client', 'send', '-s', id, 'x'])).toMatchObject({ code: 4 });
    const link = await alice.run([...share, 'link', '--expires', '1h']);
    const token = link.stdout.trim();
    const looking = { env: { AGENTAPI_PROXY_API_KEY: token } };
    expect(await stranger.run(['client', 'status', id], looking)).toMatchObject({ code: 0 });
    const listed = (await alice.run([...share, 'list'])).stdout;
    expect(listed).toMatch(/bob +read/);
    expect(listed).not.toContain(token);
    const shareId = /^(\S+) +bob/m.exec(listed)?.[1] ?? '';
    expect(await alice.run([...share, 'revoke', shareId])).toMatchObject({ code: 0 });
    expect(await bob.run(['client', 'status', id])).toMatchObject({ code: 4 });
    await alice.run(['client', 'delete', id]);
  });
});
