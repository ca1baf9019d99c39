import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '#server/auth/credential-index.ts';
import { ROLE_PERMISSIONS } from '#server/auth/permissions.ts';
import type { Role } from '#server/auth/permissions.ts';
import type { SessionState } from '#server/sessions/session.ts';
import type { StoreTables } from '#server/store/store.ts';
import { Workspaces } from '#server/workspace/workspace.ts';
import type { StoreSite } from './stores.ts';

export interface SessionSeed {
  readonly count: number;
  /** Sessions of each user, whose names are `user-0`, `user-1` and so on. */
  readonly perUser: number;
  /** How they ended, or `running` for those of a machine that lost its power; every tenth ended one has failed. */
  readonly state: 'stopped' | 'running';
  /** Whether each has a workspace with a file in it. */
  readonly workspaces: boolean;
}

const SECOND_MS = 1_000;
/** A process number that no kernel gives. */
const NO_PID = 2 ** 22 + 1;
const AGENT = { command: 'claude', args: ['--verbose'], env: {} };
/** Steps on the way to each end. */
const PATHS = {
  stopped: ['starting', 'running', 'stopping', 'stopped'],
  failed: ['starting', 'failed'],
  running: ['starting', 'running'],
} as const satisfies Record<string, readonly SessionState[]>;

/**
 * Fills a store with sessions as they are after some days of work: a second apart, each with tags, three variables,
 * a first message and its history.
 */
export async function seedSessions(site: StoreSite, seed: SessionSeed): Promise<void> {
  const { count, perUser, state, workspaces } = seed;
  const newest = Date.now();
  const sessions = Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    ownerId: `user-${Math.floor(index / perUser)}`,
    createdAt: new Date(newest - index * SECOND_MS),
    end: state === 'stopped' && index % 10 === 9 ? ('failed' as const) : state,
    tags: { team: `team-${index % 10}`, ticket: `TICKET-${index}`, environment: 'staging' },
  }));
  {
    await using store = await site.open();
    await store.transaction(async (tables) => {
      for (const { id, ownerId, createdAt, tags } of sessions) {
        await tables.sessions.insert({
          facts: {
            ...{
              id,
              ownerId,
              createdAt,
              tags,
              agent: 'claude',
              agentType: 'claude',
              agentServer: 'embedded',
            },
            environmentNames: ['API_TOKEN', 'REGION', 'MODE'],
          },
          instanceId: site.instanceId,
          port: 9_000,
          start: {
            environment: { API_TOKEN: randomBytes(20).toString('hex'), REGION: 'north', MODE: 'review' },
            agent: AGENT,
            agentArgs: [],
            systemPrompt: null,
          },
          message: 'Please look into the failing build and mend it.',
        });
      }
      for (const [end, path] of Object.entries(PATHS)) {
        const ids = sessions.filter((session) => session.end === end).map(({ id }) => id);
        await follow(tables, ids, path, new Date(newest));
        if (end !== 'running') continue;
        for (const id of ids) await saveLostRun(tables, id);
      }
    });
  }
  await site.settle();
  if (!workspaces) return;
  const folders = new Workspaces(site.dataDir);
  for (const { id } of sessions) {
    const { directory } = await folders.prepare(id);
    await writeFile(join(directory, 'README.md'), '# Work\n');
  }
}

async function follow(
  { sessions }: StoreTables,
  ids: readonly string[],
  path: readonly SessionState[],
  at: Date,
): Promise<void> {
  let from: SessionState = 'creating';
  for (const to of path) {
    await sessions.transitionAll(ids, [from], to, { at, reason: 'The work was done' });
    from = to;
  }
}

/** What is left of a process after the machine was switched off. */
async function saveLostRun({ sessions }: StoreTables, id: string): Promise<void> {
  const run = { pid: NO_PID, startTime: '1', bootId: randomUUID(), port: 9_000 };
  await sessions.saveRun(id, run, randomBytes(32).toString('hex'));
}

/** Puts so many keys into a store. @returns those that are `wanted`, in this order; the others are of other users. */
export async function seedKeys(
  site: StoreSite,
  count: number,
  wanted: readonly { readonly userId: string; readonly role: Role }[],
): Promise<readonly string[]> {
  await using store = await site.open();
  return await store.transaction(async (tables) => {
    for (let index = wanted.length; index < count; index += 1) {
      await insertKey(tables, `user-${index}`, 'user');
    }
    const keys: string[] = [];
    for (const { userId, role } of wanted) keys.push(await insertKey(tables, userId, role));
    return keys;
  });
}

async function insertKey({ apiKeys }: StoreTables, userId: string, role: Role): Promise<string> {
  const key = `ap_${userId}_${randomBytes(16).toString('hex')}`;
  await apiKeys.insert({
    id: randomUUID(),
    hash: digestOf(key).toString('hex'),
    hint: `ap_${userId}_…${key.slice(-4)}`,
    label: 'bench',
    ...{ userId, role, permissions: ROLE_PERMISSIONS[role], createdBy: 'admin', createdAt: new Date() },
    ...{ expiresAt: null, revokedAt: null, lastUsedAt: null },
  });
  return key;
}
