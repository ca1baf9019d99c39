import { createVerify, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startGitServer } from '../../../test/support/git-server.ts';
import type { GitServer } from '../../../test/support/git-server.ts';
import { AppTokens } from '../src/workspace/github/app-tokens.ts';
import type { AppSettings } from '../src/workspace/github/app-tokens.ts';
import { chooseToken } from '../src/workspace/github/credentials.ts';
import { RepositoryError } from '../src/workspace/repository-error.ts';

const HOUR_MS = 3_600_000;
const APP_ID = 4711;
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const repository = { owner: 'Acme', name: 'site' };
const never = new AbortController().signal;

let folder: string;
let keyFile: string;
let api: GitServer;
/** What the API has been asked, in order. */
let asked: string[];
let made: number;
const behaviour = { lifeMs: HOUR_MS, knowsDirectWay: true };

/** Whether a request is signed as the App. */
function isSigned(token: string): boolean {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const claims = z
    .object({ iss: z.union([z.string(), z.number()]) })
    .safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8') || '{}'));
  const verify = createVerify('RSA-SHA256').update(`${head}.${payload}`);
  return String(claims.data?.iss) === String(APP_ID) && verify.verify(publicKey, signature, 'base64url');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'github-app-'));
  keyFile = join(folder, 'app.pem');
  await writeFile(keyFile, privateKey, { mode: 0o600 });
  api = await startGitServer();
  api.onApi(({ method, url, token, body }) => {
    asked.push(`${method} ${url.pathname}${url.search}`);
    if (!isSigned(token)) return { status: 401, body: { message: 'A JSON web token could not be decoded' } };
    if (url.pathname === '/repos/Acme/site/installation' && behaviour.knowsDirectWay) {
      return { status: 200, body: { id: 77, account: { login: 'acme' } } };
    }
    if (url.pathname === '/app/installations') {
      const page = Number(url.searchParams.get('page') ?? '1');
      const body = [{ id: page, account: { login: page === 3 ? 'acme' : `other-${page}` } }];
      const next = `<${api.apiUrl}/app/installations?per_page=100&page=${page + 1}>; rel="next"`;
      return { status: 200, body, ...(page < 3 ? { headers: { link: next } } : {}) };
    }
    const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(url.pathname)?.[1];
    if (installation === undefined) return null;
    made += 1;
    asked.push(body);
    const expiresAt = new Date(Date.now() + behaviour.lifeMs).toISOString();
    return {
      status: 201,
      body: {
        token: `ghs_${installation}_${made}`,
        expires_at: expiresAt,
        permissions: {},
        repositories: [],
      },
    };
  });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  asked = [];
  made = 0;
  Object.assign(behaviour, { lifeMs: HOUR_MS, knowsDirectWay: true });
});

function tokensOf(settings: Partial<AppSettings> = {}): AppTokens {
  const all = { apiUrl: api.apiUrl, appId: APP_ID, keyFile, installationId: null, ...settings };
  return new AppTokens(all, () => () => undefined);
}

describe('the tokens of a GitHub App', () => {
  test('DF-45: are made for the one repository, by the installation that holds it', async () => {
    expect(await tokensOf().tokenFor(repository, never)).toBe('ghs_77_1');
    expect(asked).toEqual([
      'GET /repos/Acme/site/installation',
      'POST /app/installations/77/access_tokens',
      '{"repositories":["site"]}',
    ]);
  });

  test('DF-45: the installation is found through all pages where there is no direct way', async () => {
    behaviour.knowsDirectWay = false;
    expect(await tokensOf().tokenFor(repository, never)).toBe('ghs_3_1');
    expect(asked.filter((line) => line.startsWith('GET /app/installations'))).toHaveLength(3);
  });

  test('a named installation is used without a search', async () => {
    expect(await tokensOf({ installationId: 5 }).tokenFor(repository, never)).toBe('ghs_5_1');
    expect(asked[0]).toBe('POST /app/installations/5/access_tokens');
  });

  test('a token is used again while it is good, and replaced before it ends', async () => {
    const tokens = tokensOf();
    expect(await tokens.tokenFor(repository, never)).toBe('ghs_77_1');
    expect(await tokens.tokenFor(repository, never)).toBe('ghs_77_1');
    behaviour.lifeMs = 60_000;
    const short = tokensOf();
    const first = await short.tokenFor(repository, never);
    behaviour.lifeMs = HOUR_MS;
    const second = await short.tokenFor(repository, never);
    expect(second).not.toBe(first);
    expect(await short.tokenFor(repository, never)).toBe(second);
  });

  test('without an installation public repositories still open, without a token', async () => {
    behaviour.knowsDirectWay = false;
    const foreign = { owner: 'nobody', name: 'x' };
    await expect(tokensOf().tokenFor(foreign, never)).rejects.toThrow('is not installed for nobody/x');
    const server = { token: null, app: tokensOf() };
    expect(await chooseToken(null, server, foreign, never)).toEqual({ token: null, origin: 'none' });
  });

  test('a wrong App and an unreadable key are told apart', async () => {
    const wrong = tokensOf({ appId: 1 }).tokenFor(repository, never);
    await expect(wrong).rejects.toThrow(/The GitHub App 1 was refused by 127\.0\.0\.1:\d+ \(401/);
    const missing = tokensOf({ keyFile: join(folder, 'none.pem') }).tokenFor(repository, never);
    await expect(missing).rejects.toThrow('The private key of the GitHub App cannot be read');
    const away = tokensOf({ apiUrl: 'http://127.0.0.1:1/api/v3' }).tokenFor(repository, never);
    await expect(away).rejects.toSatisfy(
      (error) => error instanceof RepositoryError && error.kind === 'host_unreachable',
    );
  });

  test('PX-083, DF-44: the own token comes first, then that of the server, then the App', async () => {
    const app = tokensOf();
    expect(await chooseToken('own', { token: 'server', app }, repository, never)).toMatchObject({
      token: 'own',
    });
    expect(await chooseToken(null, { token: 'server', app }, repository, never)).toMatchObject({
      token: 'server',
    });
    expect(await chooseToken(null, { token: null, app }, repository, never)).toEqual({
      token: 'ghs_77_1',
      origin: 'app',
    });
  });
});
