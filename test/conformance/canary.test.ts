import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import SqliteFile from 'better-sqlite3';
import { describe, expect, test, vi } from 'vitest';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { filesBelow, ifThere } from '../support/files-below.ts';
import { eventually, runCommand, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ask, getSession, jsonRequest, search, start, untilStable, untilState } from '../support/wire.ts';

vi.setConfig({ testTimeout: 180_000 });

/** Says where a secret came from when it is found somewhere. */
function canary(place: string): string {
  return `canary-${place}-${randomBytes(8).toString('hex')}`;
}

/** The database of one server, and everything in it as text. */
interface Database extends AsyncDisposable {
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
  everything(dataDir: string): Promise<string>;
}

function sqlite(): Promise<Database> {
  return Promise.resolve({
    config: {},
    secrets: [],
    everything: (dataDir) => {
      const file = new SqliteFile(join(dataDir, 'store.db'), { readonly: true });
      try {
        const tables = file
          .prepare<[], { name: string }>("select name from sqlite_master where type = 'table'")
          .all();
        const rows = tables.map(({ name }) => file.prepare(`select * from "${name}"`).all());
        return Promise.resolve(JSON.stringify(rows));
      } finally {
        file.close();
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

async function postgres(): Promise<Database> {
  const server = await PostgresServer.start();
  const url = await server.createDatabase();
  return {
    config: { store: { url } },
    secrets: [new URL(url).password],
    everything: async () => {
      const tables = await server.query(
        "select table_name as name from information_schema.tables where table_schema = 'public'",
        url,
      );
      const rows = await Promise.all(
        tables.map(async ({ name }) => server.query(`select * from "${String(name)}"`, url)),
      );
      await server.query('checkpoint');
      return JSON.stringify(rows) + (await server.everythingOnDisk()).toString('latin1');
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The same server for a caller with a key. */
function withKey(server: ServerProcess, key: string): ServerProcess {
  return {
    ...server,
    request: async (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('x-api-key', key);
      return server.request(path, { ...init, headers });
    },
  };
}

async function argumentLists(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lists = await Promise.all(
    pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lists.join('\n');
}

for (const [name, isThere, open] of [
  ['SQLite', true, sqlite],
  ['PostgreSQL [needs postgresql]', HAS_POSTGRES, postgres],
] as const) {
  describe.skipIf(!isThere)(`on ${name}`, () => {
    test('PX-055, PX-166, PX-170, PX-208, PX-229: no secret shows up in a file, a table, a log, an answer, an argument list or a backup', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'canary-test-'));
      try {
        await using database = await open();
        await expectSecretsHidden(folder, database);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}

async function expectSecretsHidden(folder: string, database: Database): Promise<void> {
  const secrets = {
    key: canary('configured-key'),
    operator: canary('operator-environment'),
    agentEnvironment: canary('agent-environment'),
    agentArgument: canary('agent-settings'),
    variable: canary('start-environment'),
    token: canary('github-token'),
    parameter: canary('ignored-parameter'),
    profile: canary('profile-environment'),
    prompt: canary('system-prompt'),
    wrongKey: canary('wrong-key'),
    refused: canary('refused-value'),
    broken: canary('broken-body'),
    query: canary('query'),
  };
  const config = {
    ...database.config,
    auth: {
      enabled: true,
      api_keys: [{ key: secrets.key, user_id: 'root', role: 'admin', permissions: ['*'] }],
    },
    environment: { set: { OPERATOR_SECRET: secrets.operator } },
    agents: {
      demo: { env: { AGENT_SECRET: secrets.agentEnvironment } },
      missing: { command: '/nowhere/agent', env: { AGENT_SECRET: secrets.agentArgument } },
    },
    log_level: 'trace',
  };
  const outputs: string[] = [];
  const answers: string[] = [];
  const issued: string[] = [];

  const first = await startServer({ folder, config, args: ['--verbose'] });
  let id: string;
  let failed: string;
  {
    await using server = first;
    const caller = withKey(server, secrets.key);
    const listen = async (response: Response): Promise<unknown> => {
      const text = await response.text();
      answers.push(text);
      return JSON.parse(text);
    };
    const environment = { SECRET: secrets.variable, GITHUB_TOKEN: secrets.token };
    const params = { github_token: secrets.parameter };
    id = await start(caller, { environment, params, message: '/run echo first' });
    failed = await start(caller, { environment, agent: 'missing' });
    await untilStable(caller, id);
    await untilState(caller, failed, 'failed');
    const profileBody = {
      name: 'p',
      environment: { SECRET: secrets.profile },
      system_prompt: secrets.prompt,
      agent: 'missing',
    };
    // Answers to the owner of a profile, and to whom a key is made for, show what is theirs.
    const profile = Object(
      await (await caller.request('/profiles', jsonRequest(profileBody))).json(),
    ).profile;
    const started = await caller.request('/start-with-profile', jsonRequest({ profile_id: profile.id }));
    await untilState(caller, Object(await started.json()).session_id, 'failed');
    const key = Object(await (await caller.request('/api-keys', jsonRequest({ name: 'k' }))).json());
    const link = Object(await (await caller.request(`/sessions/${id}/links`, jsonRequest({}))).json());
    issued.push(key.key, link.token);
    expect(issued.every((text) => typeof text === 'string' && text.length > 20)).toBe(true);
    expect((await withKey(server, key.key).request('/search')).status).toBe(200);
    expect((await withKey(server, link.token).request(`/sessions/${id}`)).status).toBe(200);

    await listen(await withKey(server, secrets.wrongKey).request('/search'));
    await listen(await server.request(`/search?api_key=${secrets.query}`));
    await listen(await caller.request('/start', jsonRequest({ environment: { 'A-B': secrets.refused } })));
    await listen(await caller.request('/start', jsonRequest({ environment: { A: `${secrets.refused}\0` } })));
    await listen(
      await caller.request('/start', jsonRequest({ environment: { LD_PRELOAD: secrets.refused } })),
    );
    await listen(
      await caller.request('/start', {
        ...jsonRequest({}),
        body: `{"environment":{"SECRET":"${secrets.broken}"`,
      }),
    );
    await listen(
      await caller.request('/profiles', jsonRequest({ name: '', environment: { A: secrets.refused } })),
    );
    await listen(await caller.request(`/sessions/${failed}`));
    await listen(await caller.request(`/sessions/${id}`));
    await listen(await caller.request('/search?state=all'));
    await listen(await caller.request('/audit'));
    await listen(await caller.request('/api-keys'));
    await listen(await caller.request('/me'));
    answers.push(await (await caller.request(`/sessions/${id}/log`)).text());
    server.kill('SIGKILL');
    await server.exited;
    outputs.push(server.output());

    // The next server attaches, sees the end of an agent, and resumes it.
    await using next = await startServer({
      folder,
      config: { ...config, on_shutdown: 'terminate' },
      args: ['--verbose'],
    });
    const again = withKey(next, secrets.key);
    expect(
      await ask(again, id, '/run printenv SECRET GITHUB_TOKEN OPERATOR_SECRET AGENT_SECRET | cut -c8-'),
    ).toContain(secrets.variable.slice(7));
    await again.request(`/${id}/message`, jsonRequest({ content: '/exit 3', type: 'user' }));
    await untilState(again, id, 'stopped', 'failed');
    expect((await again.request(`/sessions/${id}/resume`, { method: 'POST' })).status).toBe(200);
    await untilStable(again, id);
    const backup = await runCommand([
      'backup',
      '-c',
      join(folder, 'config.json'),
      join(folder, 'data', 'backup.db'),
    ]);
    expect(backup).toMatchObject({ code: 0 });
    outputs.push(backup.stdout, backup.stderr);
    expect(await search(again, '?state=all')).toHaveLength(3);

    const hidden = [...Object.values(secrets), ...issued, ...database.secrets];
    const expectHidden = (place: string, content: string): void => {
      for (const secret of hidden)
        expect([place, content.includes(secret) ? secret : null]).toEqual([place, null]);
    };
    const files = await filesBelow(next.dataDir);
    expect(files.map((file) => basename(file))).toEqual(
      expect.arrayContaining(['encryption.key', 'backup.db', 'conversation.json', 'session.log']),
    );
    // What is no secret is found, so the search finds what is there.
    const tables = await database.everything(next.dataDir);
    expect([tables, outputs.join('\n')].map((text) => text.includes(id))).toEqual([true, true]);
    for (const file of files) expectHidden(file, (await ifThere(readFile(file, 'latin1'))) ?? '');
    expectHidden('the database', tables);
    expectHidden('argument lists', await argumentLists());
    expectHidden('the environment of the server', await readFile(`/proc/${next.pid}/environ`, 'utf8'));
    outputs.push(next.output());
    await next.stop();
    outputs.push(next.output());
    expectHidden('what was printed', outputs.join('\n'));
    expectHidden('answers', answers.join('\n'));
    for (const file of await filesBelow(next.dataDir))
      expectHidden(file, (await ifThere(readFile(file, 'latin1'))) ?? '');
    expectHidden('the database after the stop', await database.everything(next.dataDir));
  }
}

test('docs/security.md: messages are sealed in the store, and in clear in the files of their conversation alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'canary-test-'));
  const [waiting, said] = [canary('waiting-message'), canary('said')];
  try {
    const config = {
      agents: { slow: { command: 'sh', args: ['-c', 'sleep 600'] } },
      on_shutdown: 'terminate',
    };
    await using server = await startServer({ folder, config, args: ['--verbose'] });
    await start(server, { agent: 'slow', message: waiting });
    const id = await start(server, { message: `first ${said}` });
    await eventually('the first message was delivered', async () => {
      return (await getSession(server, id)).initial_message?.state === 'delivered';
    });
    await ask(server, id, `second ${said}`);
    await server.stop();
    const holders = new Set<string>();
    for (const file of await filesBelow(server.dataDir)) {
      const content = (await ifThere(readFile(file, 'latin1'))) ?? '';
      expect([file, content.includes(waiting)]).toEqual([file, false]);
      if (content.includes(said)) holders.add(file);
    }
    expect([...holders].map((file) => file.slice(server.dataDir.length))).toEqual([
      `/sessions/${id}/conversation.json`,
    ]);
    expect(server.output()).not.toMatch(new RegExp(`${waiting}|${said}`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
