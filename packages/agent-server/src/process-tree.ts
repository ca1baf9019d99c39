import { setTimeout as delay } from 'node:timers/promises';
import { ProcessTable } from './process-table.ts';
import type { ProcessIdentity, ProcessInfo, ProcessStatus } from './process-table.ts';

export { ProcessTable, SESSION_MARKER } from './process-table.ts';
export type { ProcessIdentity, ProcessInfo } from './process-table.ts';

/** Which processes make up a run. What is given adds up: each member is a member by any one of the rules. */
export interface ProcessQuery {
  /** Processes whose `AGENTAPI_PROXY_SESSION` equals `value`, or starts with it. */
  readonly marker?: { readonly value: string; readonly match: 'equal' | 'prefix' };
  /** Processes known to be of the run, alive or not: their sessions, groups and descendants belong to it. */
  readonly roots?: readonly ProcessIdentity[];
}

/** What `endProcesses` did. */
export interface EndReport {
  /** Processes that were told to end and have ended. */
  readonly ended: readonly ProcessInfo[];
  /** Processes that are still there: not killable (another user's, stuck in the kernel) or still multiplying. */
  readonly left: readonly ProcessInfo[];
}

export interface EndOptions {
  readonly find: ProcessQuery;
  /** Time between SIGTERM and SIGKILL; 0 kills at once. */
  readonly graceMs: number;
  /** How long the end is waited for after the first SIGKILL. */
  readonly killWaitMs?: number;
  /** Ends the grace period at once; what is left is killed. */
  readonly signal?: AbortSignal;
  /** Share one table among callers that end runs at the same time. */
  readonly table?: ProcessTable;
}

/** SIGKILL needs milliseconds; a process that is still there after this long is stuck in the kernel or not ours to kill. */
const KILL_WAIT_MS = 3_000;
/** Pauses between looks at ending processes: short for those that obey at once, longer for the slow ones. */
const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 50;
/** While killing, new processes are searched for at least this often, whatever the others do. */
const KILL_ROUND_MS = 200;

/** Identity of a running process; `null` when there is none with this pid. @throws when nobody can tell. */
export async function identityOf(pid: number): Promise<ProcessIdentity | null> {
  const info = await new ProcessTable().read(pid);
  return info === null ? null : { pid: info.pid, startTime: info.startTime, bootId: info.bootId };
}

/**
 * Whether exactly this process still runs; a zombie does not, nor another program with the same pid (DF-27).
 * @param table - for those who ask often: each table has a buffer of its own.
 * @throws when nobody can tell, such as without a free file descriptor; the process may well be alive then.
 */
export async function isAlive(
  identity: ProcessIdentity,
  table: ProcessTable = new ProcessTable(),
): Promise<boolean> {
  return runs(await table.read(identity.pid), identity);
}

/** All living processes of a run, except the calling process, as they are after this call. */
export async function findProcesses(
  query: ProcessQuery,
  table: ProcessTable = new ProcessTable(),
): Promise<readonly ProcessInfo[]> {
  return selectMembers(await table.list(), query, process.pid).filter((one) => !one.isZombie);
}

/**
 * Ends every process of a run: SIGTERM, a grace period, SIGKILL, and a fresh look after each, until
 * none is left (DF-24). Processes outside the terminal sessions and groups of the roots – the agent,
 * seen from its server – get SIGTERM first; the roots get it when those are gone or half of the grace
 * period is over, so that an agent can end by itself before its terminal is taken away. Never rejects
 * because of what a process does.
 */
export async function endProcesses(options: EndOptions): Promise<EndReport> {
  const { find, graceMs, killWaitMs = KILL_WAIT_MS, signal, table = new ProcessTable() } = options;
  const roots = find.roots ?? [];
  const everFound = new Map<string, ProcessInfo>();
  const told = new Set<string>();

  let all: readonly ProcessInfo[] = [];
  const look = async (): Promise<readonly ProcessInfo[]> => {
    all = await table.list();
    // Whoever was a member leads to its children even after its own end.
    const query = { ...find, roots: [...roots, ...everFound.values()] };
    const members = selectMembers(all, query, process.pid).filter((one) => !one.isZombie);
    for (const member of members) everFound.set(keyOf(member), member);
    return members;
  };

  let members = await look();
  const graceEnd = performance.now() + graceMs;
  const rootsTurn = graceEnd - graceMs / 2;
  const graceIsOver = (): boolean => performance.now() >= graceEnd || signal?.aborted === true;
  while (members.length > 0 && !graceIsOver()) {
    const outer = members.filter((one) => !isOfRoots(one, roots));
    const rootsWait = outer.length > 0 && outer.length < members.length && performance.now() < rootsTurn;
    const targets = rootsWait ? outer : members;
    const fresh = targets.filter((one) => !told.has(programOf(one)));
    for (const one of fresh) told.add(programOf(one));
    await sendSignal(table, fresh, all, 'SIGTERM');
    await untilGone(table, targets, rootsWait ? rootsTurn : graceEnd, signal);
    members = await look();
  }

  const killEnd = performance.now() + killWaitMs;
  while (members.length > 0) {
    await sendSignal(table, members, all, 'SIGKILL');
    await untilGone(table, members, Math.min(killEnd, performance.now() + KILL_ROUND_MS));
    members = await look();
    if (performance.now() >= killEnd) break;
  }
  const left = new Set(members.map(keyOf));
  return { ended: [...everFound.values()].filter((one) => !left.has(keyOf(one))), left: members };
}

/**
 * The members of a run in a reading of the process table, zombies included. A terminal session or
 * process group belongs to the run when its leader does; the caller's own ones never do.
 */
export function selectMembers(
  all: readonly ProcessInfo[],
  query: ProcessQuery,
  ownPid: number,
): readonly ProcessInfo[] {
  const byPid = new Map(all.map((one) => [one.pid, one]));
  const own = byPid.get(ownPid);
  const roots = new Map((query.roots ?? []).map((root) => [root.pid, root]));
  const members = new Map<number, ProcessInfo>();
  // The number of a session or group stays taken while it has a member, so a leader that is gone
  // from the table and was known to us cannot be mistaken for another.
  const leads = (leader: number): boolean => (byPid.has(leader) ? members.has(leader) : roots.has(leader));
  const belongs = (one: ProcessInfo): boolean =>
    members.has(one.parentPid) ||
    (one.sessionId !== own?.sessionId && leads(one.sessionId)) ||
    (one.groupId !== own?.groupId && leads(one.groupId)) ||
    carries(one.marker, query.marker) ||
    isSame(one, roots.get(one.pid));

  let before = -1;
  while (members.size !== before) {
    before = members.size;
    for (const one of all) {
      if (one.pid !== ownPid && !members.has(one.pid) && belongs(one)) members.set(one.pid, one);
    }
  }
  return [...members.values()];
}

function carries(marker: string | null, wanted: ProcessQuery['marker']): boolean {
  if (marker === null || wanted === undefined || wanted.value === '') return false;
  return wanted.match === 'equal' ? marker === wanted.value : marker.startsWith(wanted.value);
}

function keyOf(identity: ProcessIdentity): string {
  return `${identity.pid}@${identity.startTime}`;
}

function isSame(one: ProcessIdentity, identity: ProcessIdentity | undefined): boolean {
  return one.pid === identity?.pid && one.startTime === identity.startTime && one.bootId === identity.bootId;
}

/**
 * A program in a process. A shell that is told to end between its fork and its exec forgets it (seen with
 * bash, 1 in 60), so a process that has become another program is told again.
 */
function programOf(one: ProcessStatus): string {
  return `${keyOf(one)} ${one.name}`;
}

/** Whether `status`, read just now, is the living process that `identity` stands for. */
function runs(status: ProcessStatus | null, identity: ProcessIdentity): boolean {
  return status !== null && !status.isZombie && isSame(status, identity);
}

function isOfRoots(one: ProcessInfo, roots: readonly ProcessIdentity[]): boolean {
  return roots.some(({ pid }) => one.pid === pid || one.sessionId === pid || one.groupId === pid);
}

/**
 * Signals processes, a whole group at once where all of it is among them: then none of its members
 * can escape by forking meanwhile. Each pid is checked to be the same process right before.
 */
async function sendSignal(
  table: ProcessTable,
  targets: readonly ProcessInfo[],
  all: readonly ProcessInfo[],
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  const keys = new Set(targets.map(keyOf));
  const mixedGroups = new Set(
    all.filter((one) => !one.isZombie && !keys.has(keyOf(one))).map((one) => one.groupId),
  );
  const doneGroups = new Set<number>();
  for (const target of targets) {
    const now = await glance(table, target.pid);
    // It may have left a group that has been told since it was seen there.
    if (now === null || !runs(now, target) || doneGroups.has(now.groupId)) continue;
    const isWhole = now.groupId > 1 && now.groupId === target.groupId && !mixedGroups.has(now.groupId);
    if (isWhole) doneGroups.add(now.groupId);
    send(isWhole ? -now.groupId : now.pid, signal);
    // A stopped process does not see SIGTERM before it is continued.
    if (signal === 'SIGTERM' && now.isStopped) send(now.pid, 'SIGCONT');
  }
}

/** The process as it is now; also `null` when nobody can tell, which the next look at all of them finds out. */
async function glance(table: ProcessTable, pid: number): Promise<ProcessStatus | null> {
  return table.read(pid).catch(() => null);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile, or another user's; the next look tells which.
  }
}

/** Waits until none of `targets` is alive or one is another program, until `end` (of `performance.now()`) or an abort. */
async function untilGone(
  table: ProcessTable,
  targets: readonly ProcessInfo[],
  end: number,
  signal?: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  let rest = targets;
  for (;;) {
    const alive: ProcessInfo[] = [];
    for (const one of rest) {
      const now = await glance(table, one.pid);
      if (now === null || !runs(now, one)) continue;
      if (now.name !== one.name) return;
      alive.push(one);
    }
    rest = alive;
    const remainingMs = end - performance.now();
    if (rest.length === 0 || remainingMs <= 0 || signal?.aborted === true) return;
    await pause(Math.min(pauseMs, remainingMs), signal);
    pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Aborted: the caller looks at the signal itself.
  }
}
