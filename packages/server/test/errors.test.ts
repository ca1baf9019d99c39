import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AppError, ERRORS } from '../src/errors.ts';
import type { ErrorCode } from '../src/errors.ts';
import { openMemory } from '../src/store/sqlite.ts';
import { StoreError } from '../src/store/store-error.ts';
import { exchange } from './proxy-harness.ts';
import { startApp } from './support/app.ts';

test('PX-057: docs/api.md lists every error code under its status, and no other', async () => {
  const page = await readFile(fileURLToPath(new URL('../../../docs/api.md', import.meta.url)), 'utf8');
  const rows = page.matchAll(/^\| (\d{3}) \| ((?:`[a-z_]+`(?:, )?)+) \|$/gm);
  const listed = [...rows].flatMap(([, status = '', codes = '']) =>
    [...codes.matchAll(/`([a-z_]+)`/g)].map(([, code = '']) => `${status} ${code}`),
  );
  expect(listed.toSorted()).toEqual(
    Object.entries(ERRORS)
      .map(([code, { status }]) => `${status} ${code}`)
      .toSorted(),
  );
});

test('whoever is told 503 is told when to ask again, whatever the reason', () => {
  const codes = Object.keys(ERRORS).filter((code): code is ErrorCode => code in ERRORS);
  const later = codes.filter((code) => ERRORS[code].status === 503);
  expect(later).toContain('overloaded');
  for (const code of codes) {
    expect([code, new AppError(code).retryAfterSeconds]).toEqual([
      code,
      later.includes(code) ? 1 : undefined,
    ]);
  }
  expect(new AppError('session_starting', { retryAfterSeconds: 2 }).retryAfterSeconds).toBe(2);
});

const WORDS = 'private words about /data/store.db';

test.each([
  [new Error(WORDS), 500, 'internal'],
  [new StoreError('corrupt', WORDS), 500, 'internal'],
  [new StoreError('key', WORDS), 500, 'internal'],
  [new StoreError('unavailable', WORDS), 503, 'store_unavailable'],
  [new StoreError('busy', WORDS), 503, 'store_unavailable'],
  [new StoreError('read_only', WORDS), 503, 'store_unavailable'],
  [new StoreError('full', WORDS), 507, 'store_full'],
] as const)(
  'DF-53, PX-066: %s inside is %s %s for the caller, and whole in the log',
  async (failure, status, code) => {
    const store = await openMemory();
    await using app = await startApp({}, { openStore: async () => Promise.resolve(store) });
    store.profiles.listAll = async () => Promise.reject(failure);
    const response = await app.request('/profiles', { headers: { 'x-request-id': 'find-me' } });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      code,
      message: ERRORS[code].message,
      request_id: response.headers.get('x-request-id'),
    });
    expect(response.headers.get('retry-after')).toBe(status === 500 ? null : '5');
    expect(app.log()).toContain(WORDS);
    expect((await app.request('/search')).status).toBe(200);
  },
);

test('an early refusal of a large body says that the connection ends; that of a small one keeps it', async () => {
  await using app = await startApp();
  const { port } = new URL(app.url);
  const send = (size: number, sent: number, then: string): Promise<string> =>
    exchange(
      Number(port),
      `POST /api-keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n` +
        'x'.repeat(sent) +
        then,
    );
  const large = await send(900_000, 100_000, 'x'.repeat(800_000));
  expect(large).toMatch(/^HTTP\/1\.1 409 /);
  expect(large).toMatch(/\r\nconnection: close\r\n/i);
  const next = 'GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  const small = await send(20_000, 10_000, `${'x'.repeat(10_000)}${next}`);
  expect(small).toMatch(/^HTTP\/1\.1 409 [^]*\r\nconnection: keep-alive\r\n[^]*HTTP\/1\.1 200 /i);
});
