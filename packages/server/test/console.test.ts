import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawRequest } from '../../../test/support/raw-request.ts';
import type { RawAnswer } from '../../../test/support/raw-request.ts';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';

const PAGE = '<!doctype html><html><head><base href="./"></head><body>console</body></html>';
const SCRIPT = `export const text = ${JSON.stringify('x'.repeat(5000))};\n`;
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const KEY = 'ap_root_0123456789abcdef0123456789abcdef';

let folder: string;
let app: TestApp;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'console-test-'));
  await mkdir(join(folder, 'built/assets'), { recursive: true });
  await writeFile(join(folder, 'built/index.html'), PAGE);
  await writeFile(join(folder, 'built/assets/main-abc123.js'), SCRIPT);
  await writeFile(join(folder, 'built/favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await writeFile(join(folder, 'secret.txt'), 'a secret');
  await symlink(join(folder, 'secret.txt'), join(folder, 'built/linked.txt'));
  app = await startApp(
    { auth: { enabled: true, api_keys: [{ key: KEY, user_id: 'root', role: 'admin', permissions: ['*'] }] } },
    { consoleFolder: join(folder, 'built') },
  );
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<RawAnswer> {
  return rawRequest(Number(new URL(app.url).port), { method, path, headers });
}

describe('the way in', () => {
  test.each([
    ['/', 'console/'],
    ['/?x=1', 'console/?x=1'],
    ['/console', 'console/'],
    ['/console?tag=a', 'console/?tag=a'],
  ])('GET %s leads a browser to %s, relative, so that any prefix works', async (path, location) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await get(path, BROWSER, method);
      expect([answer.status, answer.headers.location]).toEqual([302, location]);
    }
  });

  test('PX-046: programs are answered at / as if nothing were there', async () => {
    const program = { accept: 'application/json' };
    expect((await get('/', program)).status).toBe(401);
    expect((await get('/')).status).toBe(401);
    expect((await get('/', { ...program, 'x-api-key': KEY })).status).toBe(404);
  });
});

describe('files', () => {
  test('a hashed file may be kept for ever, is packed as asked, and tells its type', async () => {
    const url = `${app.url}/console/assets/main-abc123.js`;
    const read = async (coding: string): Promise<readonly [string | null, Buffer]> => {
      const { body, headers } = await rawBytes(url, coding);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(headers.get('vary')).toMatch(/Accept-Encoding/);
      return [headers.get('content-encoding'), body];
    };
    const [brotli, small] = await read('gzip, deflate, br');
    expect([brotli, brotliDecompressSync(small).toString()]).toEqual(['br', SCRIPT]);
    expect(small.length).toBeLessThan(500);
    const [packed, gzip] = await read('br;q=0, gzip');
    expect([packed, gunzipSync(gzip).toString()]).toEqual(['gzip', SCRIPT]);
    const [plain, body] = await read('identity');
    expect([plain, body.toString()]).toEqual([null, SCRIPT]);
  });

  test('HEAD has the head only', async () => {
    const head = await get('/console/assets/main-abc123.js', {}, 'HEAD');
    expect([head.status, head.body, head.headers['content-length']]).toEqual([
      200,
      '',
      String(SCRIPT.length),
    ]);
  });

  test('what is not there is 404, under assets even for browsers', async () => {
    for (const path of [
      '/console/assets/gone.js',
      '/console/assets/',
      '/console/assets/main-abc123.js.map',
    ]) {
      expect((await get(path, BROWSER)).status).toBe(404);
    }
    expect((await get('/console/favicon.ico')).status).toBe(404);
    expect((await get('/console/favicon.svg')).headers['content-type']).toBe('image/svg+xml');
  });

  test('no path leads out of the folder, and no link', async () => {
    for (const path of [
      '/console/../secret.txt',
      '/console/assets/../../secret.txt',
      '/console/..%2fsecret.txt',
      '/console/%2e%2e/secret.txt',
      '/console/assets/..%5c..%5csecret.txt',
      '/console//etc/passwd',
      '/console/linked.txt',
      '/console/%zz',
    ]) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.body).not.toContain('a secret');
    }
  });
});

describe('the page', () => {
  test.each([
    ['/console/', './'],
    ['/console/?state=all', './'],
    ['/console/sessions', './'],
    ['/console/sessions/', '../'],
    ['/console/sessions/4f/terminal', '../../'],
  ])('GET %s has the way back %s', async (path, base) => {
    const answer = await get(path, BROWSER);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(answer.body).toBe(PAGE.replace('./', base));
    const root = new URL(base, `https://example.test/agents${path}`);
    expect(root.href).toBe('https://example.test/agents/console/');
  });

  test('may only use what comes from here, and be shown in no other page', async () => {
    const { headers } = await get('/console/', BROWSER);
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
        "connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    });
    expect(headers['permissions-policy']).toContain('camera=()');
  });

  test('is not sent again to who has it', async () => {
    const { headers } = await get('/console/', BROWSER);
    const again = await get('/console/', { ...BROWSER, 'if-none-match': headers.etag ?? '' });
    expect([again.status, again.body]).toEqual([304, '']);
    expect((await get('/console/a/b', { ...BROWSER, 'if-none-match': headers.etag ?? '' })).status).toBe(200);
  });

  test('a new build is served without a restart', async () => {
    const built = join(folder, 'built/index.html');
    await writeFile(built, PAGE.replace('console', 'a newer console'));
    await utimes(built, new Date(), new Date(Date.now() + 5_000));
    expect((await get('/console/', BROWSER)).body).toContain('a newer console');
    await writeFile(built, PAGE);
  });
});

test('without a build it says how to make one', async () => {
  await using bare = await startApp({}, { consoleFolder: join(folder, 'nothing') });
  const answer = await bare.request('/console/', { headers: BROWSER });
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('npm run build'),
  });
});

test('console.enabled: false leaves nothing of it', async () => {
  await using off = await startApp({ console: { enabled: false } }, { consoleFolder: join(folder, 'built') });
  for (const path of ['/', '/console', '/console/', '/console/assets/main-abc123.js']) {
    expect([path, (await off.request(path, { headers: BROWSER, redirect: 'manual' })).status]).toEqual([
      path,
      404,
    ]);
  }
  const signIn = await off.request('/console/sign-in', {
    method: 'POST',
    headers: { 'x-console': '1' },
    body: '{"api_key":"x"}',
  });
  expect(signIn.status).toBe(404);
});

async function rawBytes(url: string, coding: string): Promise<{ body: Buffer; headers: Headers }> {
  const { get: httpGet } = await import('node:http');
  return new Promise((resolve, reject) => {
    httpGet(url, { headers: { 'accept-encoding': coding } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const headers = new Headers();
        for (const [name, value] of Object.entries(response.headers)) headers.set(name, String(value));
        resolve({ body: Buffer.concat(chunks), headers });
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}
