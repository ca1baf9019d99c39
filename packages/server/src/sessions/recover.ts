import type { Log } from '../log.ts';
import type { Adoption, Orphans, RunExit, RunRef, Runtime } from '../runtime/runtime.ts';
import type { SessionRecord } from '../store/session-record.ts';
import type { Store } from '../store/store.ts';
import type { Workspaces } from '../workspace/workspace.ts';
import { verdictOn } from './life.ts';
import type { SessionExit, SessionState } from './session.ts';

/** An agent server answers within milliseconds; one that does not answer for this long is of no use to anybody. */
const ADOPT_TIMEOUT_MS = 10_000;

/** A log line names no more sessions than that. */
const MAX_LOGGED_IDS = 100;

const LOST_MESSAGE =
  'The server ended while the message was being sent, and so did the agent; whether it arrived is not known';

export interface RecoverContext {
  readonly store: Store;
  readonly instanceId: string;
  readonly runtime: Runtime;
  readonly workspaces: Workspaces;
  /** Takes up a session whose agent server goes on. */
  readonly revive: (record: SessionRecord, adoption: Extract<Adoption, { kind: 'adopted' }>) => Promise<void>;
  readonly log: Log;
}

export interface Recovery {
  /** How many sessions go on. */
  readonly revived: number;
  /** Sessions that had not ended, and now have. */
  readonly ended: readonly string[];
  /** Those of them whose start was interrupted; it is worth another attempt once the orphans are gone. */
  readonly interrupted: readonly string[];
  /** What runs and belongs to no session that goes on. */
  readonly orphans: Orphans;
}

interface Ending {
  readonly record: SessionRecord;
  readonly to: 'stopped' | 'failed';
  readonly reason: string;
  readonly exit: SessionExit | null;
}

/**
 * Looks after the sessions that an earlier server has left open: those whose agent server provably still serves
 * them go on, the others are recorded as ended, with the reason (DF-25, DF-26, DF-27). To be called once, before
 * anything is started.
 * @throws StoreError
 */
export async function recoverSessions(context: RecoverContext): Promise<Recovery> {
  const { store, instanceId, log } = context;
  if (store.isExclusive) {
    // As after the restore of a backup into another data folder.
    const claimed = await store.sessions.claimAll(instanceId);
    if (claimed > 0) log.info({ sessions: claimed }, 'sessions of another data folder taken over');
  }
  const records = await context.store.sessions.listOpen(context.instanceId);
  const outcomes = await Promise.all(records.map(async (record) => settle(context, record)));
  const endings = outcomes.filter((outcome) => outcome !== null);
  await recordEnds(context.store, endings);
  logEnds(endings, log);
  const ended = new Set(endings.map(({ record }) => record.facts.id));
  const revived = new Set(records.map(({ facts }) => facts.id).filter((id) => !ended.has(id)));
  return {
    revived: revived.size,
    ended: [...ended],
    interrupted: endings.filter(deservesAnotherStart).map(({ record }) => record.facts.id),
    orphans: await context.runtime.findOrphans(revived),
  };
}

/** @returns how the session has ended; `null` when it goes on. */
async function settle(context: RecoverContext, record: SessionRecord): Promise<Ending | null> {
  const stopped = (reason: string): Ending => ({ record, to: 'stopped', reason, exit: null });
  switch (record.state) {
    case 'creating':
    case 'starting':
      return { record, to: 'failed', reason: INTERRUPTED, exit: null };
    case 'running':
      return record.run === null ? stopped(NOT_RUNNING) : adopt(context, record, record.run);
    case 'stopping':
      return stopped(record.reason ?? 'The server ended while the session was stopping');
    case 'stopped':
    case 'failed':
      return null;
  }
}

const NOT_RUNNING = 'The agent server was not running any more';
const INTERRUPTED = 'The server ended while the session was starting';
/** A start that has been interrupted this often may be what ends the server. */
const MOST_INTERRUPTIONS = 3;

function deservesAnotherStart({ record, reason }: Ending): boolean {
  if (reason !== INTERRUPTED) return false;
  const before = record.history.filter((change) => change.reason === INTERRUPTED);
  return before.length + 1 < MOST_INTERRUPTIONS;
}

async function adopt(context: RecoverContext, record: SessionRecord, ref: RunRef): Promise<Ending | null> {
  const { facts } = record;
  const { logPath, exitReportPath } = context.workspaces.locate(facts.id);
  const isEmbedded = facts.agentServer === 'embedded';
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), ADOPT_TIMEOUT_MS);
  const adoption = await context.runtime
    .adopt(
      {
        sessionId: facts.id,
        ref,
        token: async () => (await context.store.sessions.readSecrets(facts.id))?.token ?? null,
        logPath,
        exitReportPath: isEmbedded ? exitReportPath : null,
      },
      deadline.signal,
    )
    .finally(() => clearTimeout(timer));
  switch (adoption.kind) {
    case 'adopted':
      await context.revive(record, adoption);
      return null;
    case 'unproven':
      return { record, to: 'stopped', reason: adoption.reason, exit: null };
    case 'gone':
      return adoption.exit === null
        ? { record, to: 'stopped', reason: NOT_RUNNING, exit: null }
        : endingOf(record, adoption.exit);
  }
}

function endingOf(record: SessionRecord, exit: RunExit): Ending {
  const wasReady = exit.wasReady || record.message?.state === 'delivered';
  const { kind, reason } = verdictOn({ ...exit, wasReady });
  const { code, signal, lastOutput } = exit;
  return { record, to: kind, reason, exit: { code, signal, lastOutput } };
}

async function recordEnds(store: Store, endings: readonly Ending[]): Promise<void> {
  const at = new Date();
  await store.transaction(async ({ sessions }) => {
    for (const { record, to, reason, exit } of endings) {
      const { id } = record.facts;
      // Whoever was to receive it is gone, and took the answer along.
      if (record.message?.state === 'sending') {
        await sessions.markMessage(id, ['sending'], { state: 'failed', at, reason: LOST_MESSAGE });
      }
      if (exit !== null) await sessions.transition(id, [record.state], to, { at, reason, exit });
    }
    for (const alike of groupsOf(endings.filter(({ exit }) => exit === null))) {
      const { from, to, reason, ids } = alike;
      await sessions.transitionAll(ids, [from], to, { at, reason });
    }
  });
}

/** Sessions that have ended in the same way; after a power cut that may be all of them. */
interface AlikeEndings extends Pick<Ending, 'to' | 'reason'> {
  readonly from: SessionState;
  readonly ids: readonly string[];
}

function groupsOf(endings: readonly Ending[]): readonly AlikeEndings[] {
  const groups = new Map<string, { from: SessionState; to: Ending['to']; reason: string; ids: string[] }>();
  for (const { record, to, reason } of endings) {
    const key = JSON.stringify([record.state, to, reason]);
    const group = groups.get(key) ?? { from: record.state, to, reason, ids: [] };
    group.ids.push(record.facts.id);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Not a line for each: a log that nobody reads as fast holds up the start. */
function logEnds(endings: readonly Ending[], log: Log): void {
  for (const { to, reason, ids } of groupsOf(endings)) {
    const fields = { state: to, reason, sessions: ids.length, sessionIds: ids.slice(0, MAX_LOGGED_IDS) };
    log.info(fields, 'sessions of an earlier server have ended');
  }
}

/** Says what was found, once the server works. */
export function logRecovery({ revived, ended, orphans }: Recovery, log: Log): void {
  if (revived + ended.length > 0)
    log.info({ revived, ended: ended.length }, 'sessions of an earlier server found');
  if (orphans.found > 0) {
    log.warn(
      { sessionIds: orphans.sessionIds, processes: orphans.found },
      'processes of an earlier server belong to no session any more and are ended',
    );
  }
}
