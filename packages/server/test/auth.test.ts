import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Authenticator, createAuthenticator } from '../src/auth/authenticate.ts';
import { ConfigError } from '../src/config/config-error.ts';
import { loadConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/schema.ts';
import { AppError } from '../src/errors.ts';
import { SecretRegistry } from '../src/secret-registry.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const ALICE = { key: 'ap_alice_1', user_id: 'alice', permissions: ['session:list'] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auth-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function configOf(auth: object): Promise<Config> {
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auth: { enabled: true, ...auth } }));
  return loadConfig({ environment: {}, workingDirectory: folder }).config;
}

async function authenticatorOf(auth: object): Promise<Authenticator> {
  return createAuthenticator(await configOf(auth), undefined, () => NOW);
}

/** The user of a request with these headers, or the refusal's text. */
function outcome(authenticator: Authenticator, headers: IncomingHttpHeaders): string {
  try {
    return authenticator.authenticate(headers).userId;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

describe('authentication off', () => {
  test('PX-036: keys may be configured, none is needed, and everything is allowed', async () => {
    const authenticator = await authenticatorOf({ enabled: false, api_keys: [ALICE] });
    expect(authenticator.enabled).toBe(false);
    const principal = authenticator.authenticate({});
    expect(principal).toMatchObject({ userId: 'anonymous', role: 'admin' });
    expect([...principal.permissions]).toEqual(['*']);
  });

  test('PX-036: a broken keys file is not even read', async () => {
    expect((await authenticatorOf({ enabled: false, keys_file: join(folder, 'none') })).reload()).toBe(0);
  });
});

describe('authentication on', () => {
  test('PX-037: no header, or an empty one', async () => {
    const authenticator = await authenticatorOf({ api_keys: [ALICE] });
    for (const headers of [{}, { 'x-api-key': '' }, { authorization: '' }, { authorization: 'Basic YTpi' }]) {
      expect(outcome(authenticator, headers)).toBe('API key required');
    }
  });

  test('PX-038: a wrong key, and anything but the whole key', async () => {
    const authenticator = await authenticatorOf({ api_keys: [ALICE] });
    for (const key of ['nope', 'ap_alice_', 'ap_alice_11', 'AP_ALICE_1', ' ', 'ap_alice_1, ap_alice_1']) {
      expect(outcome(authenticator, { 'x-api-key': key })).toBe('Invalid API key');
    }
  });

  test('the key names user, role and permissions', async () => {
    const authenticator = await authenticatorOf({ api_keys: [{ ...ALICE, role: 'admin' }] });
    const principal = authenticator.authenticate({ 'x-api-key': 'ap_alice_1' });
    expect(principal).toEqual({ userId: 'alice', role: 'admin', permissions: new Set(['session:list']) });
  });

  test.each([
    ['PX-039', '2026-01-01T11:59:59Z', 'Invalid API key'],
    ['PX-039', '2026-01-01T13:59:59+02:00', 'Invalid API key'],
    ['PX-039', '2026-01-01T12:00:00.001Z', 'alice'],
    ['PX-040', 'tomorrow', 'Invalid API key'],
    ['PX-040', '', 'Invalid API key'],
    ['PX-040', '2027-02-30T00:00:00Z', 'Invalid API key'],
    ['PX-040', '2027-01-01', 'Invalid API key'],
    ['PX-041', undefined, 'alice'],
  ])('%s: a key that expires at %s', async (_, expires_at, expected) => {
    const authenticator = await authenticatorOf({ api_keys: [{ ...ALICE, expires_at }] });
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1' })).toBe(expected);
  });

  test('PX-039: a key expires while the server runs', async () => {
    let now = NOW;
    const config = await configOf({ api_keys: [{ ...ALICE, expires_at: '2026-01-01T12:00:01Z' }] });
    const authenticator = createAuthenticator(config, undefined, () => now);
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1' })).toBe('alice');
    now += 1001;
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1' })).toBe('Invalid API key');
  });

  test('whoever was wrong too often waits a minute at most, also when the time of day is set back', async () => {
    let now = NOW;
    const config = await configOf({ api_keys: [ALICE] });
    const limits = { ...config.limits, failed_keys_per_minute: 1 };
    const authenticator = createAuthenticator({ ...config, limits }, undefined, () => now);
    const attempt = (): unknown => {
      try {
        return authenticator.authenticate(
          { 'x-api-key': 'nope' },
          { address: '192.0.2.1', requestId: 'one' },
        );
      } catch (error) {
        return error;
      }
    };
    expect(attempt()).toMatchObject({ code: 'invalid_api_key' });
    now -= 3_600_000;
    expect(attempt()).toMatchObject({ code: 'too_many_failures', retryAfterSeconds: 60 });
    expect(authenticator.countLimited()).toBe(1);
  });

  test('PX-042: of two entries with one key the first that has not expired counts', async () => {
    const authenticator = await authenticatorOf({
      api_keys: [
        { ...ALICE, expires_at: '2020-01-01T00:00:00Z' },
        { ...ALICE, user_id: 'alice2' },
        { ...ALICE, user_id: 'alice3' },
      ],
    });
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1' })).toBe('alice2');
  });

  test('PX-043: an entry with an empty key never matches', async () => {
    const authenticator = await authenticatorOf({ api_keys: [{ ...ALICE, key: '' }] });
    expect(outcome(authenticator, { 'x-api-key': '' })).toBe('API key required');
    expect(outcome(authenticator, { authorization: 'Bearer ' })).toBe('API key required');
  });

  test('PX-044: Authorization: Bearer is accepted as well', async () => {
    const authenticator = await authenticatorOf({ api_keys: [ALICE] });
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      expect(outcome(authenticator, { authorization: `${scheme} ap_alice_1` })).toBe('alice');
    }
    expect(outcome(authenticator, { authorization: 'Bearer nope' })).toBe('Invalid API key');
  });

  test('PX-044: with both present the configured header decides, unless it is empty', async () => {
    const authenticator = await authenticatorOf({
      api_keys: [ALICE, { ...ALICE, key: 'ap_bob_1', user_id: 'bob' }],
    });
    const authorization = 'Bearer ap_bob_1';
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1', authorization })).toBe('alice');
    expect(outcome(authenticator, { 'x-api-key': 'nope', authorization })).toBe('Invalid API key');
    expect(outcome(authenticator, { 'x-api-key': '', authorization })).toBe('bob');
  });

  test('PX-029, PX-056: another header name is honoured, in any case', async () => {
    const authenticator = await authenticatorOf({ header_name: 'X-Team-KEY', api_keys: [ALICE] });
    expect(outcome(authenticator, { 'x-team-key': 'ap_alice_1' })).toBe('alice');
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1' })).toBe('API key required');
  });

  test('PX-029: Authorization as the key header takes the bare key and the scheme', async () => {
    const authenticator = await authenticatorOf({ header_name: 'Authorization', api_keys: [ALICE] });
    expect(outcome(authenticator, { authorization: 'ap_alice_1' })).toBe('alice');
    expect(outcome(authenticator, { authorization: 'Bearer ap_alice_1' })).toBe('alice');
    expect(outcome(authenticator, { authorization: 'ap_bob_1' })).toBe('Invalid API key');
  });

  test('a key with characters beyond ASCII is compared by its bytes', async () => {
    const authenticator = await authenticatorOf({ api_keys: [{ ...ALICE, key: 'schlüssel-1' }] });
    const onTheWire = Buffer.from('schlüssel-1', 'utf8').toString('latin1');
    expect(outcome(authenticator, { 'x-api-key': onTheWire })).toBe('alice');
  });

  test('DF-05: names every header that carries credentials', async () => {
    const authenticator = await authenticatorOf({ header_name: 'X-Team-Key' });
    expect([...authenticator.credentialHeaders].sort()).toEqual([
      'authorization',
      'cookie',
      'proxy-authorization',
      'x-team-key',
    ]);
  });

  test('PX-055: neither the authenticator nor its errors hold a key in clear', async () => {
    const authenticator = await authenticatorOf({ api_keys: [ALICE] });
    expect(inspect(authenticator, { depth: null })).not.toContain('ap_alice_1');
    expect(outcome(authenticator, { 'x-api-key': 'presented-key' })).toBe('Invalid API key');
  });
});

describe('the keys file', () => {
  const path = (): string => join(folder, 'keys.json');
  const write = (content: unknown): Promise<void> =>
    writeFile(path(), typeof content === 'string' ? content : JSON.stringify(content));

  test('PX-034: replaces the inline keys', async () => {
    await write({ api_keys: [{ ...ALICE, key: 'from-file', user_id: 'bob' }] });
    const authenticator = await authenticatorOf({ keys_file: path(), api_keys: [ALICE] });
    expect(outcome(authenticator, { 'x-api-key': 'from-file' })).toBe('bob');
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1' })).toBe('Invalid API key');
  });

  test('PX-035: missing at start is an error that names it', async () => {
    const config = await configOf({ keys_file: path(), api_keys: [ALICE] });
    expect(() => createAuthenticator(config)).toThrow(ConfigError);
    expect(() => createAuthenticator(config)).toThrow(`${path()}: no such file`);
  });

  test.each([
    ['{"api_keys": [', ':1:15: not valid JSON'],
    ['{}', ':1:1: api_keys: is missing, expected a list'],
    ['{"api_keys": [{"key": "s3cr3t-s3cr3t"}]}', ':1:15: api_keys[0].user_id: is missing'],
    [
      '{"api_keys": [{"key": 1234567, "user_id": "a"}]}',
      ':1:23: api_keys[0].key: expected a string, found a number',
    ],
    [
      '{"api_keys": [{"key": "s3cr3t-s3cr3t", "user_id": "a", "expire_at": "2020-01-01T00:00:00Z"}]}',
      ':1:56: unknown field "api_keys[0].expire_at"; did you mean "expires_at"?',
    ],
    ['["s3cr3t-s3cr3t"]', ':1:1: the document: expected an object, found a list'],
  ])('PX-035: %s is an error with its place, without keys', async (content, message) => {
    await write(content);
    const config = await configOf({ keys_file: path() });
    let text = '';
    try {
      createAuthenticator(config);
    } catch (error) {
      text = error instanceof ConfigError ? error.message : String(error);
    }
    expect(text).toContain(path() + message);
    expect(text).not.toMatch(/s3cr3t|1234567/);
  });

  test('DF-08: a reload takes new keys, and keeps the old ones when the file is broken', async () => {
    await write({ api_keys: [ALICE] });
    const secrets = new SecretRegistry();
    const authenticator = createAuthenticator(await configOf({ keys_file: path() }), secrets, () => NOW);

    await write({ api_keys: [{ ...ALICE, key: 'ap_carol_1', user_id: 'carol' }] });
    expect(authenticator.reload()).toBe(1);
    expect(outcome(authenticator, { 'x-api-key': 'ap_carol_1' })).toBe('carol');
    expect(outcome(authenticator, { 'x-api-key': 'ap_alice_1' })).toBe('Invalid API key');

    await write('{"api_keys": [');
    expect(() => authenticator.reload()).toThrow(ConfigError);
    await rm(path());
    expect(() => authenticator.reload()).toThrow('no such file');
    expect(outcome(authenticator, { 'x-api-key': 'ap_carol_1' })).toBe('carol');
  });

  test('PX-055: the keys in use are masked in the log, before and after a reload', async () => {
    await write({ api_keys: [ALICE] });
    const secrets = new SecretRegistry();
    const authenticator = createAuthenticator(await configOf({ keys_file: path() }), secrets);
    expect(secrets.mask('key ap_alice_1')).toBe('key [secret]');
    await write('broken');
    expect(() => authenticator.reload()).toThrow(ConfigError);
    expect(secrets.mask('key ap_alice_1')).toBe('key [secret]');
    await write({ api_keys: [ALICE, { ...ALICE, key: 'ap_dave_12' }] });
    authenticator.reload();
    expect(secrets.mask('ap_alice_1 ap_dave_12')).toBe('[secret] [secret]');
  });
});
