import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ERRORS } from '../src/errors.ts';

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
