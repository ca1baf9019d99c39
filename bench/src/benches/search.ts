import { z } from 'zod';
import type { Bench, Measurement } from '../bench.ts';
import { HttpConnection } from '../http-connection.ts';
import { startProxyIn } from '../proxy-process.ts';
import { seedKeys, seedSessions } from '../seed.ts';
import { onEveryEngine } from '../stores.ts';
import type { StoreEngine } from '../stores.ts';

const SESSIONS = 10_000;
const PER_USER = 100;
const REQUESTS = 100;
const WARM_UP_REQUESTS = 20;
/** The page that lies so far behind the first one begins after 9,000 sessions. */
const DEEP = { pages: 9, limit: 1_000 } as const;
const TARGETS = [{ statistic: 'p95', atMost: 50 }] as const;
const WANTED = [
  { userId: 'boss', role: 'admin' },
  { userId: 'user-50', role: 'user' },
] as const;

const pageSchema = z.object({ sessions: z.array(z.unknown()), next_cursor: z.string().optional() });

interface Query {
  readonly name: string;
  readonly connection: HttpConnection;
  readonly query: string;
  /** How many sessions the answer must hold. */
  readonly finds: number;
}

/** How long a list of sessions takes when a team has kept all of its sessions. */
export const search: Bench = {
  name: 'search',
  title: `GET /search with ${SESSIONS.toLocaleString('en')} sessions in the store`,
  run: async ({ progress }) => {
    const measurements: Measurement[] = [];
    const notes = await onEveryEngine(async (engine) => {
      progress(`${SESSIONS} sessions on ${engine.name}`);
      measurements.push(...(await searchOn(engine)));
    });
    return { measurements, notes };
  },
};

async function searchOn(engine: StoreEngine): Promise<readonly Measurement[]> {
  await using site = await engine.site();
  await seedSessions(site, { count: SESSIONS, perUser: PER_USER, state: 'stopped', workspaces: false });
  const keys = await seedKeys(site, WANTED.length, WANTED);
  await using proxy = await startProxyIn(site, { ...site.config, auth: { enabled: true } });
  const [admin, user] = keys.map((key) => new HttpConnection(proxy.port, { 'X-API-Key': key }));
  if (admin === undefined || user === undefined) throw new Error('there are no keys');
  using _admin = admin;
  using _user = user;
  const cursor = await deepCursor(admin);
  const queries: readonly Query[] = [
    { name: 'live sessions (the default)', connection: admin, query: '', finds: 0 },
    { name: 'admin, all, largest page', connection: admin, query: '?state=all', finds: 1_000 },
    { name: 'admin, all, page of 50', connection: admin, query: '?state=all&limit=50', finds: 50 },
    { name: 'user, all of their own', connection: user, query: '?state=all', finds: PER_USER },
    { name: 'admin, all of a user', connection: admin, query: '?state=all&user_id=user-7', finds: PER_USER },
    { name: 'user, shared ones, too', connection: user, query: '?state=all&shared=true', finds: PER_USER },
    { name: 'common tag', connection: admin, query: '?state=all&tag.team=team-3&limit=50', finds: 50 },
    {
      name: 'common tag, largest page',
      connection: admin,
      query: '?state=all&tag.team=team-3',
      finds: 1_000,
    },
    { name: 'tag of one session', connection: admin, query: '?state=all&tag.ticket=TICKET-9000', finds: 1 },
    {
      name: 'two tags of a user',
      connection: user,
      query: '?state=all&tag.team=team-3&tag.environment=staging',
      finds: PER_USER / 10,
    },
    { name: 'failed ones', connection: admin, query: '?state=failed&limit=50', finds: 50 },
    { name: 'status filter', connection: admin, query: '?state=all&status=stopped&limit=50', finds: 50 },
    {
      name: `page after ${(DEEP.pages * DEEP.limit).toLocaleString('en')}`,
      connection: admin,
      query: `?state=all&limit=50&cursor=${cursor}`,
      finds: 50,
    },
  ];
  for (let request = 0; request < WARM_UP_REQUESTS; request += 1) await inTurns(queries);
  const samples: number[][] = queries.map(() => []);
  for (let request = 0; request < REQUESTS; request += 1) {
    for (const [index, ms] of (await inTurns(queries)).entries()) samples[index]?.push(ms);
  }
  return queries.map(({ name }, index) => ({
    name: `${engine.name}: ${name}`,
    unit: 'ms',
    samples: samples[index] ?? [],
    targets: TARGETS,
  }));
}

async function inTurns(queries: readonly Query[]): Promise<readonly number[]> {
  const took: number[] = [];
  for (const { name, connection, query, finds } of queries) {
    const { ms, text } = await connection.expect(`/search${query}`);
    const { sessions } = pageSchema.parse(JSON.parse(text));
    if (sessions.length !== finds) throw new Error(`"${name}" found ${sessions.length} sessions`);
    took.push(ms);
  }
  return took;
}

async function deepCursor(admin: HttpConnection): Promise<string> {
  let cursor = '';
  for (let page = 0; page < DEEP.pages; page += 1) {
    const { text } = await admin.expect(`/search?state=all&limit=${DEEP.limit}&cursor=${cursor}`);
    cursor = pageSchema.parse(JSON.parse(text)).next_cursor ?? '';
  }
  if (cursor === '') throw new Error('the pages end early');
  return cursor;
}
