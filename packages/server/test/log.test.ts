import { describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/schema.ts';
import { createLogger, type RootLog } from '../src/log.ts';

/** A configuration in which every kind of secret occurs, and nothing comes from this machine. */
function configWith(variables: Readonly<Record<string, string>> = {}): Config {
  return loadConfig({
    workingDirectory: '/nonexistent',
    environment: {
      PATH: '/usr/bin:/bin',
      DEPLOY_TOKEN: 'inherited-secret',
      AGENTAPI_PROXY_ENVIRONMENT_PASS: 'DEPLOY_TOKEN',
      AGENTAPI_PROXY_ENVIRONMENT_SET: '{"A":"operator-secret"}',
      AGENTAPI_PROXY_AGENTS: '{"claude":{"env":{"ANTHROPIC_API_KEY":"agent-secret"}}}',
      AGENTAPI_PROXY_AUTH_API_KEYS: '[{"key":"ap_alice_secret","user_id":"alice"}]',
      AGENTAPI_PROXY_AUTH_HEADER_NAME: 'X-Team-Key',
      ...variables,
    },
  }).config;
}

async function capture(
  variables?: Readonly<Record<string, string>>,
): Promise<{ log: RootLog; output: () => string }> {
  let text = '';
  const log = await createLogger(configWith(variables), {
    write: (line) => {
      text += line;
    },
  });
  return { log, output: () => text };
}

describe('createLogger', () => {
  test('writes one JSON object a line, with time, level, fields and message', async () => {
    const { log, output } = await capture();
    log.child({ module: 'sessions' }).info({ sessionId: 'x' }, 'session running');
    log.warn('careful');
    const [first, second] = output()
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(first).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      module: 'sessions',
      sessionId: 'x',
      msg: 'session running',
    });
    expect(second).toMatchObject({ level: 'warn', msg: 'careful' });
  });

  test('log_level and verbose choose what is written', async () => {
    const levels = async (variables: Readonly<Record<string, string>>): Promise<number> => {
      const { log, output } = await capture(variables);
      for (const level of ['trace', 'debug', 'info', 'warn'] as const) log[level]('x');
      return output().split('\n').length - 1;
    };
    expect(await levels({})).toBe(2);
    expect(await levels({ AGENTAPI_PROXY_VERBOSE: 'true' })).toBe(3);
    expect(await levels({ AGENTAPI_PROXY_LOG_LEVEL: 'warn' })).toBe(1);
    expect(await levels({ AGENTAPI_PROXY_LOG_LEVEL: 'trace', AGENTAPI_PROXY_VERBOSE: 'true' })).toBe(4);
    expect(await levels({ AGENTAPI_PROXY_LOG_LEVEL: 'silent' })).toBe(0);
  });

  test.each(['json', 'pretty'])(
    'PX-166: no secret appears in %s, verbose, wherever it is put',
    async (format) => {
      const { log, output } = await capture({
        AGENTAPI_PROXY_LOG_FORMAT: format,
        AGENTAPI_PROXY_VERBOSE: 'true',
      });
      log.secrets.add('session-secret\nwith two lines');
      const values = [
        'inherited-secret',
        'operator-secret',
        'agent-secret',
        'ap_alice_secret',
        'session-secret\nwith two lines',
      ];
      const child = log.child({ module: 'x', bound: values });
      for (const value of values) {
        child.debug(`message with ${value}`);
        child.info(
          { deep: { list: [{ value }] }, [`key-${value}`]: 1, nested: { [value]: value } },
          'fields',
        );
        child.error({ err: new Error(`failed: ${value}`, { cause: new Error(value) }) }, 'error');
        child.info({ body: JSON.stringify({ value }) }, 'JSON in a string');
      }
      expect(output()).toContain('[secret]');
      // A member of a line's top level is named by our own code; that one holds the value on purpose.
      const text = output().replaceAll(/key-[^:]*:/g, '');
      expect(text).not.toMatch(
        /inherited-secret|operator-secret|agent-secret|ap_alice_secret|session-secret/,
      );
    },
  );

  test('DF-04: credentials in headers are masked by name', async () => {
    const { log, output } = await capture();
    const headers = {
      authorization: 'Bearer aaa',
      cookie: 'a=bbb',
      'x-api-key': 'ccc',
      'x-team-key': 'ddd',
      'x-agentapi-token': 'eee',
      accept: '*/*',
    };
    log.info({ headers, req: { headers } }, 'request');
    expect(output()).not.toMatch(/aaa|bbb|ccc|ddd|eee/);
    expect(output()).toContain('*/*');
  });

  test('a secret is forgotten when its session ends', async () => {
    const { log, output } = await capture();
    const forget = log.secrets.add('short-lived');
    log.info('short-lived');
    forget();
    log.info('short-lived');
    expect(output().match(/short-lived/g)).toHaveLength(1);
  });

  test('ordinary variables such as PATH stay readable', async () => {
    const { log, output } = await capture();
    log.info('looked up in /usr/bin:/bin');
    expect(output()).toContain('/usr/bin:/bin');
  });
});
