import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProgram } from './find-program.ts';

describe('findProgram', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'find-program-'));
    await writeFile(join(folder, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
    await writeFile(join(folder, 'data'), 'x', { mode: 0o644 });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('a word is looked up in PATH, in its order', async () => {
    expect(await findProgram('tool', `/nonexistent:${folder}`, '/')).toEqual({
      kind: 'found',
      path: join(folder, 'tool'),
    });
  });

  test('a path is taken as it is, or from the working directory', async () => {
    expect(await findProgram(join(folder, 'tool'), '', '/')).toMatchObject({ kind: 'found' });
    expect(await findProgram('./tool', '', folder)).toEqual({ kind: 'found', path: join(folder, 'tool') });
  });

  test('PX-088: what is missing is named with the place where it was looked up', async () => {
    const lookup = await findProgram('nope', `${folder}:/other`, '/');
    expect(lookup).toMatchObject({ kind: 'missing', reason: expect.stringContaining(`${folder}:/other`) });
    expect(await findProgram('nope', '', '/')).toMatchObject({ reason: expect.stringContaining('empty') });
    expect(await findProgram('/no/such', '', '/')).toMatchObject({
      reason: expect.stringContaining('/no/such'),
    });
  });

  test('files without the right, folders and dangling links are not programs', async () => {
    await symlink('/nonexistent', join(folder, 'dangling'));
    for (const name of ['data', 'dangling', '.']) {
      expect(await findProgram(name, folder, '/')).toMatchObject({ kind: 'missing' });
    }
  });
});
