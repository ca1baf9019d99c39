import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { KeyFile } from '../src/store/key-source.ts';
import { openSqlite } from '../src/store/sqlite.ts';

const WRITER = fileURLToPath(new URL('fixtures/profile-writer.mjs', import.meta.url));

/** Kills a writer once it has said `lines` lines, in the middle of what it does then. */
async function writeUntilKilled(
  storePath: string,
  keyPath: string,
  lines: number,
): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [WRITER, storePath, keyPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(writer, 'exit');
  const said: string[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    said.push(line);
    if (said.length === lines) writer.kill('SIGKILL');
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
  return said;
}

test('PX-211: kill -9 during writes leaves all earlier profiles readable', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'profiles-crash-'));
  try {
    const storePath = join(folder, 'store.db');
    const keyPath = join(folder, 'encryption.key');
    const said: string[] = [];
    for (const lines of [1, 7, 23, 40]) said.push(...(await writeUntilKilled(storePath, keyPath, lines)));

    await using store = await openSqlite(storePath, new KeyFile(keyPath, false));
    const present = new Map(
      (await store.profiles.listByOwner('alice')).map((profile) => [profile.id, profile]),
    );
    for (const line of said) {
      const [id = '', count = ''] = line.split(' ');
      expect(present.get(id)).toMatchObject({
        name: `p${count}`,
        environment: { COUNT: count },
        repositoryHistory: [{ url: `u${count}` }],
      });
    }
    // What was under way at each end may be there, or not, but nothing else.
    expect(present.size - said.length).toBeGreaterThanOrEqual(0);
    expect(present.size - said.length).toBeLessThanOrEqual(4);
  } finally {
    await rm(folder, { recursive: true });
  }
});
