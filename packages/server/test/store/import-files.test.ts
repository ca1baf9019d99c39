import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImportError, importProfiles, importSessions } from '../../src/store/import-files.ts';
import { openMemory } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const A = '3f2b1c9e-6a52-4a0e-9b1d-0d6c2f7a8e11';
const B = '9d1f0a77-2b64-4b3a-8f0e-5a1c3e7b9d22';

/** A file of the reference, in a folder of its own. */
async function fileOf(content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'import-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'sessions.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
}

async function importInto(store: Store, path: string): ReturnType<typeof importSessions> {
  return importSessions(store, path, 'instance-1', NOW);
}

const SESSIONS = {
  sessions: [
    {
      id: A,
      port: 9000,
      started_at: '2026-01-01T12:00:00.355123456+02:00',
      user_id: 'alice',
      status: 'active',
      environment: { PLAIN: 'p', MY_KEY: 'ENC:AAAAAAAAAAAAAAAAAAAAAA==' },
      tags: { a: '1' },
      process_id: 19_639,
      command: ['bash', '/tmp/agentapi-script-1.sh', '9000'],
    },
    {
      id: B,
      port: 9001,
      started_at: '2026-01-02T12:00:00Z',
      user_id: 'bob',
      status: 'active',
      environment: null,
      tags: null,
    },
  ],
  updated_at: '2026-01-02T12:00:00Z',
};

describe('sessions.json', () => {
  test('PX-168: sessions come in as stopped ones, with owner, tags, times and the readable variables', async () => {
    await using store = await openMemory();
    const path = await fileOf(SESSIONS);
    const before = await readFile(path);
    expect(await importInto(store, path)).toEqual({
      imported: 2,
      skipped: [],
      unreadable: [`MY_KEY of session ${A}`],
    });
    expect(await store.sessions.get(A)).toMatchObject({
      facts: {
        id: A,
        ownerId: 'alice',
        agent: 'claude',
        tags: { a: '1' },
        environmentNames: ['PLAIN', 'MY_KEY'],
        createdAt: new Date('2026-01-01T10:00:00.355Z'),
      },
      instanceId: 'instance-1',
      port: 9000,
      state: 'stopped',
      reason: expect.stringContaining(path),
      run: null,
      message: null,
    });
    expect((await store.sessions.readSecrets(A))?.environment).toEqual({ PLAIN: 'p' });
    expect(await store.sessions.get(B)).toMatchObject({
      facts: { ownerId: 'bob', tags: {} },
      state: 'stopped',
    });
    expect(await store.sessions.listOpen('instance-1')).toEqual([]);
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test('a file is imported once: what was deleted since does not come back', async () => {
    await using store = await openMemory();
    const path = await fileOf(SESSIONS);
    await importInto(store, path);
    await store.sessions.delete(A);
    expect(await importInto(store, path)).toMatchObject({
      imported: 0,
      skipped: [`${path}: it was imported at ${NOW.toISOString()}`],
    });
    expect(await store.sessions.get(A)).toBeNull();
    // Another file adds what is not there yet.
    const later = await fileOf({
      sessions: [...SESSIONS.sessions, { ...SESSIONS.sessions[1], id: randomUUID() }],
    });
    expect(await importInto(store, later)).toMatchObject({
      imported: 2,
      skipped: [`session ${B}: it is there already`],
    });
  });

  test('an id that is none is left out and named', async () => {
    await using store = await openMemory();
    const path = await fileOf({ sessions: [{ ...SESSIONS.sessions[0], id: '../../etc' }] });
    expect(await importInto(store, path)).toMatchObject({
      imported: 0,
      skipped: ['session ../../etc: the id is no UUID'],
    });
  });

  test.each([
    ['no JSON', '{"sessions": ['],
    ['no object', '[]'],
    ['no time', { sessions: [{ ...SESSIONS.sessions[0], started_at: 'yesterday' }] }],
    [
      'no text as a variable',
      { sessions: [SESSIONS.sessions[1], { ...SESSIONS.sessions[0], environment: { A: 1 } }] },
    ],
  ])('a damaged file (%s) is refused by its name, and nothing of it is imported', async (_name, content) => {
    await using store = await openMemory();
    const path = await fileOf(content);
    const attempt = importInto(store, path);
    await expect(attempt).rejects.toBeInstanceOf(ImportError);
    await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining(path) });
    expect(await store.sessions.count()).toBe(0);
  });

  test('a file that is not there, or empty of sessions', async () => {
    await using store = await openMemory();
    await expect(importInto(store, '/nowhere/sessions.json')).rejects.toMatchObject({
      name: 'ImportError',
      message: expect.stringContaining('/nowhere/sessions.json cannot be read'),
    });
    expect(await importInto(store, await fileOf({ sessions: null, updated_at: '' }))).toMatchObject({
      imported: 0,
    });
  });
});

describe('the profile file', () => {
  test('profiles come in whole; what has no id or time gets one (DF-52)', async () => {
    await using store = await openMemory();
    const path = await fileOf([
      {
        id: A,
        user_id: 'alice',
        name: ' work ',
        description: 'd',
        environment: { TOKEN: 't', CIPHER: 'ENC:x' },
        repository_history: [
          {
            id: 'r1',
            url: 'https://host/a/b',
            name: 'a/b',
            branch: 'main',
            accessed_at: '2026-01-03T00:00:00Z',
          },
          { id: '', url: 'https://host/c/d', name: '', accessed_at: '0001-01-01T00:00:00Z' },
        ],
        system_prompt: 'Be brief.',
        message_templates: [
          { name: 'n', content: 'c {{x}}', variables: ['x'], created_at: '0001-01-01T00:00:00Z' },
        ],
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-02T00:00:00Z',
      },
      {
        id: B,
        user_id: 'bob',
        name: '  ',
        created_at: '2026-01-01T00:00:00Z',
        last_used_at: '2026-01-05T00:00:00Z',
      },
    ]);
    expect(await importProfiles(store, path, NOW)).toEqual({
      imported: 2,
      skipped: [],
      unreadable: [`CIPHER of profile ${A}`],
    });
    const profile = await store.profiles.get(A);
    expect(profile).toMatchObject({
      userId: 'alice',
      name: 'work',
      environment: { TOKEN: 't' },
      repositoryHistory: [
        { id: 'r1', branch: 'main', accessedAt: new Date('2026-01-03T00:00:00Z') },
        { url: 'https://host/c/d', branch: null, accessedAt: new Date('2026-01-01T00:00:00Z') },
      ],
      systemPrompt: 'Be brief.',
      messageTemplates: [{ name: 'n', variables: ['x'], createdAt: new Date('2026-01-01T00:00:00Z') }],
      updatedAt: new Date('2026-01-02T00:00:00Z'),
      lastUsedAt: null,
      version: 1,
    });
    expect(profile?.repositoryHistory[1]?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(profile?.messageTemplates[0]?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await store.profiles.get(B)).toMatchObject({
      name: 'Imported profile',
      environment: {},
      lastUsedAt: new Date('2026-01-05T00:00:00Z'),
    });
    expect(await importProfiles(store, path, NOW)).toMatchObject({ imported: 0 });
  });

  test('an empty file of the reference holds no profiles', async () => {
    await using store = await openMemory();
    expect(await importProfiles(store, await fileOf('null'), NOW)).toEqual({
      imported: 0,
      skipped: [],
      unreadable: [],
    });
  });
});
