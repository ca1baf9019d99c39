import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../src/config/config-error.ts';
import { configSchemaDocument, withTable } from '../src/config/documents.ts';
import { annotatedSchema, fieldsOf } from '../src/config/fields.ts';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/schema.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function load(content: unknown, sources: Partial<ConfigSources> = {}): Promise<LoadedConfig> {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  await writeFile(join(folder, 'config.json'), text);
  return loadConfig({ environment: { HOME: folder }, workingDirectory: folder, ...sources });
}

async function configOf(content: unknown, sources: Partial<ConfigSources> = {}): Promise<Config> {
  return (await load(content, sources)).config;
}

async function failure(content: unknown, sources: Partial<ConfigSources> = {}): Promise<string> {
  try {
    await load(content, sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('defaults', () => {
  test('PX-001, PX-008: without the default config.json every field has its default', () => {
    const { config, file, warnings } = loadConfig({
      environment: { HOME: '/home/a' },
      workingDirectory: folder,
    });
    expect(file).toBeNull();
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      data_dir: '/home/a/.local/share/agentapi-proxy',
      start_port: 9000,
      default_agent: 'auto',
      agent_server: 'embedded',
      limits: { body_bytes: 1024 ** 2, proxied_body_bytes: 100 * 1024 ** 2, sessions_total: 200 },
      auth: { enabled: false, header_name: 'X-API-Key', api_keys: [] },
    });
  });

  test('PX-001: config.json of the working directory is read', async () => {
    const { config, file } = await load({ port: 9999 });
    expect(config.port).toBe(9999);
    expect(file).toBe(join(folder, 'config.json'));
  });

  test.each([{}, { start_port: 0 }])('PX-028: %j starts ports at 9000', async (content) => {
    expect((await configOf(content)).start_port).toBe(9000);
  });

  test.each([{}, { auth: { header_name: '' } }])('PX-029: %j uses the header X-API-Key', async (content) => {
    expect((await configOf(content)).auth.header_name).toBe('X-API-Key');
  });

  test('PX-032, DD-05: persistence defaults to what the reference documents', async () => {
    expect((await configOf({ persistence: {} })).persistence).toEqual({
      enabled: true,
      backend: 'file',
      file_path: './sessions.json',
      sync_interval_seconds: 30,
      encrypt_sensitive_data: true,
    });
  });

  test('a limit of 0 means no limit', async () => {
    const limits = { sessions_total: 0, sessions_per_user: 0, starts_per_minute: 0, proxied_body_bytes: 0 };
    expect((await configOf({ limits })).limits).toMatchObject({
      sessions_total: Number.POSITIVE_INFINITY,
      sessions_per_user: Number.POSITIVE_INFINITY,
      starts_per_minute: Number.POSITIVE_INFINITY,
      proxied_body_bytes: Number.POSITIVE_INFINITY,
    });
  });

  test('the data folder follows XDG_DATA_HOME, but not a relative one', async () => {
    const at = async (base: string): Promise<string> =>
      (await configOf({}, { environment: { HOME: '/home/a', XDG_DATA_HOME: base } })).data_dir;
    expect(await at('/data')).toBe('/data/agentapi-proxy');
    expect(await at('data')).toBe('/home/a/.local/share/agentapi-proxy');
  });

  test('$schema is accepted, so that editors can check the file', async () => {
    expect((await configOf({ $schema: './config.schema.json', port: 1 })).port).toBe(1);
  });
});

describe('precedence (DF-66)', () => {
  test('defaults < file < environment < flags', async () => {
    const environment = {
      AGENTAPI_PROXY_PORT: '3',
      AGENTAPI_PROXY_HOST: '127.0.0.3',
      AGENTAPI_PROXY_TERM_WIDTH: '99',
    };
    const config = await configOf(
      { port: 2, host: '127.0.0.2', term_height: 50, term_width: 70 },
      { environment, flags: { port: '4', host: undefined, verbose: true } },
    );
    expect(config).toMatchObject({
      port: 4,
      host: '127.0.0.3',
      term_width: 99,
      term_height: 50,
      verbose: true,
    });
  });

  test('every field has a variable of its own that sets it', async () => {
    const fields = fieldsOf(annotatedSchema());
    expect(fields.length).toBeGreaterThan(50);
    expect(new Set(fields.flatMap((field) => field.variables)).size).toBe(fields.length + 8);
    const values = {
      AGENTAPI_PROXY_LIMITS_BODY_BYTES: '2048',
      AGENTAPI_PROXY_AUTH_ENABLED: 'true',
      AGENTAPI_PROXY_CORS_ALLOWED_ORIGINS: 'https://a.example, https://b.example',
      AGENTAPI_PROXY_TRUSTED_PROXIES: '["10.0.0.0/8"]',
      AGENTAPI_PROXY_ENVIRONMENT_SET: '{"A":"b"}',
      AGENTAPI_PROXY_AUTH_API_KEYS: '[{"key":"k","user_id":"u"}]',
      AGENTAPI_PROXY_STOP_GRACE_SECONDS: '0.5',
      AGENTAPI_PROXY_LOG_FORMAT: 'json',
    };
    const config = await configOf({ limits: { tags: 3 } }, { environment: values });
    expect(config).toMatchObject({
      limits: { body_bytes: 2048, tags: 3 },
      auth: { enabled: true },
      cors: { allowed_origins: ['https://a.example', 'https://b.example'] },
      trusted_proxies: ['10.0.0.0/8'],
      environment: { set: { A: 'b' } },
      stop_grace_seconds: 0.5,
      log_format: 'json',
    });
    expect(config.auth.api_keys[0]?.key.reveal()).toBe('k');
  });

  test('PX-105: the variables of the reference for GitHub set what they set there', async () => {
    const environment = {
      GITHUB_TOKEN: 'ghp_1',
      GITHUB_APP_ID: '7',
      GITHUB_APP_PEM_PATH: 'keys/app.pem',
      GITHUB_INSTALLATION_ID: '8',
      GITHUB_API: 'https://git.example.com/api/v3',
    };
    const { github } = await configOf({}, { environment });
    expect(github).toMatchObject({ app_id: 7, installation_id: 8, api_url: environment.GITHUB_API });
    expect(github.app_key_file).toMatch(/^\/.*\/keys\/app\.pem$/);
    expect(github.token?.reveal()).toBe('ghp_1');
    expect(JSON.stringify(github)).not.toContain('ghp_1');
    await expect(configOf({}, { environment: { GITHUB_APP_ID: '7' } })).rejects.toThrow(
      'github.app_key_file: is missing, but github.app_id is set',
    );
    await expect(configOf({ github: { api_url: 'git.example.com' } })).rejects.toThrow('github.api_url');
  });

  test('a list is JSON or words with commas; [] is the empty list, [::1] a word', async () => {
    const deny = async (text: string): Promise<readonly string[]> =>
      (await configOf({}, { environment: { AGENTAPI_PROXY_ENVIRONMENT_DENY: text } })).environment.deny;
    expect(await deny('A, B_*,')).toEqual(['A', 'B_*']);
    expect(await deny(' [ "A" ]')).toEqual(['A']);
    expect(await deny('[]')).toEqual([]);
    const hosts = await configOf({}, { environment: { AGENTAPI_PROXY_ALLOWED_HOSTS: '[::1],a' } });
    expect(hosts.allowed_hosts).toEqual(['[::1]', 'a']);
  });

  test('an empty variable counts as unset', async () => {
    expect((await configOf({ port: 7 }, { environment: { AGENTAPI_PROXY_PORT: '' } })).port).toBe(7);
  });

  test('PX-002: a named file replaces the default one, by option before variable', async () => {
    await writeFile(join(folder, 'a.json'), '{"port": 1}');
    await writeFile(join(folder, 'b.json'), '{"port": 2}');
    const environment = { AGENTAPI_PROXY_CONFIG: 'b.json' };
    expect((await configOf({}, { environment })).port).toBe(2);
    expect((await configOf({}, { environment, file: 'a.json' })).port).toBe(1);
  });
});

describe('what is wrong is fatal and named (DF-07, DF-65)', () => {
  test('PX-007: a named file that does not exist', async () => {
    const message = await failure({}, { file: 'none.json' });
    expect(message).toBe(`none.json: no such file; looked for ${join(folder, 'none.json')}`);
    expect(await failure({}, { environment: { AGENTAPI_PROXY_CONFIG: 'none.json' } })).toBe(message);
  });

  test('PX-007: a file that cannot be read', async () => {
    await mkdir(join(folder, 'dir.json'));
    expect(await failure({}, { file: 'dir.json' })).toBe(
      'dir.json: cannot be read: it is a folder, expected a file',
    );
    await writeFile(join(folder, 'binary.json'), Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await failure({}, { file: 'binary.json' })).toBe('binary.json: is not UTF-8 text, expected JSON');
  });

  test('PX-007: a syntax error, with line and column', async () => {
    expect(await failure('{\n  "port": 8080\n  "host": "x"\n}')).toBe(
      'config.json:3:3: not valid JSON: expected a comma',
    );
  });

  test('PX-031: a wrong type, with line, column, field, what was found and what would be right', async () => {
    expect(await failure('{\n  "start_port": "x"\n}')).toBe(
      'config.json:2:17: start_port: expected a whole number from 0 to 65535, found the string "x"; example: 9000',
    );
  });

  test.each<[unknown, string]>([
    [{ port: 70_000 }, 'port: expected a whole number from 0 to 65535, found the number 70000'],
    [{ port: 1.5 }, 'port: expected a whole number from 0 to 65535, found the number 1.5'],
    [{ port: null }, 'port: expected a whole number from 0 to 65535, found null'],
    [{ host: '' }, 'host: expected a string that is not empty, found an empty string'],
    [{ verbose: 'yes' }, 'verbose: expected true or false, found the string "yes"'],
    [{ log_format: 'xml' }, 'log_format: expected one of "auto", "pretty", "json", found the string "xml"'],
    [{ limits: 5 }, 'limits: expected an object, found a number'],
    [{ limits: { body_bytes: -1 } }, 'limits.body_bytes: expected a whole number from 1024'],
    [{ allowed_hosts: 'a' }, 'allowed_hosts: expected a list of strings, found a string'],
    [{ allowed_hosts: ['a', 5] }, 'allowed_hosts[1]: expected a string, found a number'],
    [{ allowed_hosts: ['a:80'] }, 'allowed_hosts[0]: expected a host name or address without a port'],
    [{ trusted_proxies: ['10.0.0.0/33'] }, 'trusted_proxies[0]: expected an IP address or a range'],
    [
      { cors: { allowed_origins: ['https://a/x'] } },
      'cors.allowed_origins[0]: expected an origin without a path',
    ],
    [{ environment: { deny: ['A-B'] } }, 'environment.deny[0]: expected a variable name'],
    [{ environment: { set: { '1A': 'x' } } }, 'environment.set.1A: expected a variable name'],
    [
      { environment: { set: { AGENTAPI_PROXY_SESSION: 'x' } } },
      'names beginning with AGENTAPI_PROXY_ are reserved',
    ],
    [{ agents: { auto: { command: 'x' } } }, 'agents.auto: the agent name auto has a meaning of its own'],
    [{ agents: { 'a b': { command: 'x' } } }, 'agents["a b"]: expected an agent name'],
    [{ agents: { x: { args: [] } } }, 'agents.x: "command" is missing, expected the program to run'],
    [{ agents: { cluade: {} } }, 'did you mean the built-in agent "claude"?'],
    [{ default_agent: 'gose' }, 'default_agent: expected "auto" or one of claude'],
    [{ auth: { header_name: 'a b' } }, 'auth.header_name: expected'],
    [{ auth: { api_keys: [{ user_id: 'u' }] } }, 'auth.api_keys[0].key: is missing, expected a string'],
    [[1], 'the document: expected an object, found a list'],
  ])('PX-009, PX-031: %j', async (content, message) => {
    expect(await failure(content)).toContain(message);
  });

  test('PX-030: an unknown field, with its place and the closest known name', async () => {
    expect(
      await failure('{\n  "auht": {},\n  "limits": { "bodybytes": 1 }\n}').then((text) =>
        text.split('\n').sort(),
      ),
    ).toEqual([
      'config.json:2:3: unknown field "auht"; did you mean "auth"?',
      'config.json:3:15: unknown field "limits.bodybytes"; did you mean "body_bytes"?',
    ]);
  });

  test('all problems are named at once', async () => {
    const message = await failure({ port: 'a', term_width: 1, nope: 1 });
    expect(message.split('\n')).toHaveLength(3);
  });

  test.each([
    [
      { environment: { AGENTAPI_PROXY_PORT: 'abc' } },
      'environment variable AGENTAPI_PROXY_PORT: port: expected a whole number from 0 to 65535, found the string "abc"; example: 8080',
    ],
    [
      { environment: { AGENTAPI_PROXY_VERBOSE: 'yes' } },
      'environment variable AGENTAPI_PROXY_VERBOSE: verbose: expected true or false',
    ],
    [
      { environment: { AGENTAPI_PROXY_AGENTS: '{' } },
      'environment variable AGENTAPI_PROXY_AGENTS: agents: not valid JSON, expected a JSON object',
    ],
    [
      { flags: { port: '65536' } },
      'option --port: port: expected a whole number from 0 to 65535, found the number 65536',
    ],
    [{ flags: { port: 'http' } }, 'option --port: port: expected a whole number'],
    [
      { flags: { port: '' } },
      'option --port: port: expected a whole number from 0 to 65535, found an empty string',
    ],
  ])('PX-009: %j is named by variable or option', async (sources, message) => {
    expect(await failure({}, sources)).toContain(message);
  });

  test('PX-091: an argument string with an unbalanced quote', async () => {
    const message = (place: string, field: string): string =>
      `${place}: ${field}: expected arguments as a shell would read them, found a quote or backslash without its end`;
    expect(await failure('{"agent_server_args": "--x \'y"}')).toBe(
      message('config.json:1:23', 'agent_server_args'),
    );
    expect(await failure({}, { environment: { AGENTAPI_ARGS: '"' } })).toBe(
      message('environment variable AGENTAPI_ARGS', 'agent_server_args'),
    );
    expect(await failure({}, { environment: { CLAUDE_ARGS: 'a\\' } })).toBe(
      message('environment variable CLAUDE_ARGS', 'claude_args'),
    );
  });

  test('no message shows what may be a secret', async () => {
    const secret = 'hunter2-hunter2';
    const messages = await Promise.all(
      [
        { auth: { api_keys: secret } },
        { auth: secret },
        { auth: { api_keys: [secret] } },
        { environment: { set: secret } },
        { environment: { set: { A: [secret] } } },
        { agents: { claude: { env: { B: { x: secret } } } } },
        { agent_server_args: `'${secret}` },
        { claude_args: { x: secret } },
      ].map((content) => failure(content)),
    );
    const numeric = await failure({ auth: { api_keys: [{ key: 987654321, user_id: 'u' }] } });
    const fromVariable = await failure({}, { environment: { AGENTAPI_PROXY_AUTH_API_KEYS: `{"${secret}` } });
    const text = [...messages, numeric, fromVariable].join('\n');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('987654321');
  });
});

describe('fields that forbid one another', () => {
  test.each(['0.0.0.0', '::', '192.0.2.1', 'agents.example.com'])(
    'PX-227, DF-18: without authentication %s is refused',
    async (host) => {
      expect(await failure({ host })).toMatch(
        /^config\.json:2:\d+: host: without authentication only a loopback address/,
      );
      expect((await configOf({ host, auth: { enabled: true } })).host).toBe(host);
      const allowed = await load({ host, allow_insecure_bind: true });
      expect(allowed.warnings).toEqual([expect.stringContaining('authentication is off')]);
    },
  );

  test.each(['127.0.0.1', '127.3.2.1', '::1', 'localhost'])('PX-227: %s is loopback', async (host) => {
    expect((await configOf({ host })).host).toBe(host);
  });

  test('DF-17, PX-074: credentials need a list of origins without *', async () => {
    for (const allowed_origins of [[], ['*'], ['https://a.example', '*']]) {
      expect(await failure({ cors: { allow_credentials: true, allowed_origins } })).toContain(
        'cors.allow_credentials: needs',
      );
    }
    await configOf({ cors: { allow_credentials: true, allowed_origins: ['https://a.example'] } });
  });

  test('PX-033: an unknown backend, and one without what it needs, is refused', async () => {
    expect(await failure({ persistence: { backend: 'redis' } })).toContain(
      'persistence.backend: expected one of',
    );
    expect(await failure({ persistence: { backend: 'postgres' } })).toContain(
      'persistence.backend: postgres needs store.url',
    );
    const url = 'postgres://me:hidden-password@db.example:5432/agents';
    expect(await failure({ persistence: { backend: 'sqlite' }, store: { url } })).toContain(
      'persistence.backend: sqlite does not go with store.url',
    );
    const wrong = await failure({ store: { url: 'mysql://me:hidden-password@db.example/agents' } });
    expect(wrong).toContain('store.url: expected postgres://');
    expect(wrong).not.toContain('hidden-password');
    expect((await configOf({ store: { url } })).store.url?.reveal()).toBe(url);
  });

  test('sessions outlive the server by default, and end with it without persistence', async () => {
    expect((await configOf({})).on_shutdown).toBe('keep');
    expect((await configOf({ persistence: { enabled: false } })).on_shutdown).toBe('terminate');
    expect((await configOf({ persistence: { backend: 'memory' } })).on_shutdown).toBe('terminate');
    expect((await configOf({ on_shutdown: 'terminate' })).on_shutdown).toBe('terminate');
    expect(await failure({ on_shutdown: 'keep', persistence: { enabled: false } })).toContain(
      'on_shutdown: keep needs persistence.enabled',
    );
  });

  test('encryption keys come from the file, the environment or a file of keys, and are never shown', async () => {
    const environment = { AGENTAPI_PROXY_ENCRYPTION_KEY: 'aGlkZGVu' };
    const config = await configOf({ encryption: { key_file: 'keys/mine' } }, { environment });
    expect(config.encryption.key?.reveal()).toBe('aGlkZGVu');
    expect(config.encryption.key_file).toBe(join(folder, 'keys/mine'));
    expect(JSON.stringify(config)).not.toContain('aGlkZGVu');
    expect((await configOf({})).encryption).toEqual({ key: undefined, key_file: undefined });
  });

  test('default_agent may be an agent of the configuration', async () => {
    expect(
      (await configOf({ default_agent: 'mine', agents: { mine: { command: 'x' } } })).default_agent,
    ).toBe('mine');
  });
});

describe('argument strings', () => {
  test('PX-090: quoted parts stay together and nothing is expanded', async () => {
    const config = await configOf(
      {
        agents: { a: { command: 'x', args: '-m "two words" $HOME \'*\'' } },
        agent_server_args: ['--already', 'a b'],
      },
      { environment: { CLAUDE_ARGS: "--append-system-prompt 'be brief' --x=`id`" } },
    );
    expect(config.agents['a']?.args).toEqual(['-m', 'two words', '$HOME', '*']);
    expect(config.agent_server_args).toEqual(['--already', 'a b']);
    expect(config.claude_args).toEqual(['--append-system-prompt', 'be brief', '--x=`id`']);
  });

  test('our own variable beats the one of the reference', async () => {
    const environment = { AGENTAPI_ARGS: '--theirs', AGENTAPI_PROXY_AGENT_SERVER_ARGS: '--ours' };
    expect((await configOf({}, { environment })).agent_server_args).toEqual(['--ours']);
  });
});

describe('the result', () => {
  test('is frozen in depth', async () => {
    const config = await configOf({
      agents: { a: { command: 'x' } },
      auth: { api_keys: [{ key: 'k', user_id: 'u' }] },
    });
    for (const part of [
      config,
      config.limits,
      config.agents,
      config.agents['a'],
      config.auth.api_keys,
      config.auth.api_keys[0],
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('DF-12, PX-084: holds only the allowed part of the environment of the server', async () => {
    const environment = {
      PATH: '/bin',
      LC_ALL: 'C',
      MY_TOKEN: 'a',
      OTHER: 'b',
      MY: 'c',
      AGENTAPI_PROXY_SESSION: 'd',
    };
    const config = await configOf({ environment: { pass: ['MY_*', 'AGENTAPI_PROXY_*'] } }, { environment });
    expect(config.inherited_environment).toEqual({ PATH: '/bin', LC_ALL: 'C', MY_TOKEN: 'a' });
  });

  test('keys never print', async () => {
    const config = await configOf({ auth: { api_keys: [{ key: 'ap_alice_1234', user_id: 'alice' }] } });
    const printed = [
      JSON.stringify(config),
      inspect(config, { depth: null }),
      String(config.auth.api_keys[0]?.key),
    ];
    expect(printed.join()).not.toContain('ap_alice_1234');
    expect(printed[2]).toBe('[secret]');
  });

  test('warns of what is probably not meant', async () => {
    expect((await load({ auth: { enabled: true }, persistence: { enabled: false } })).warnings).toEqual([
      expect.stringContaining('every request is refused'),
    ]);
    expect((await load({ auth: { keys_file: 'k.json' } })).warnings).toEqual([
      expect.stringContaining('no key is needed'),
    ]);
    const mistyped = await load({}, { environment: { AGENTAPI_PROXY_PROT: '1', AGENTAPI_PROXY_URL: 'x' } });
    expect(mistyped.warnings).toEqual([
      'environment variable AGENTAPI_PROXY_PROT sets nothing; did you mean AGENTAPI_PROXY_PORT?',
    ]);
  });
});

describe('generated documents', () => {
  const read = (path: string): Promise<string> =>
    readFile(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

  test('config.schema.json is up to date', async () => {
    expect(configSchemaDocument()).toBe(await read('../config.schema.json'));
  });

  test('the table in docs/configuration.md is up to date', async () => {
    const page = await read('../../../docs/configuration.md');
    expect(withTable(page)).toBe(page);
  });
});
