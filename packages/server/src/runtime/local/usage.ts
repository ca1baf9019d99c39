import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProcessInfo, ProcessTable } from '@agentapi-proxy/agent-server/process-tree';
import type { RunRef, SessionUsage } from '../runtime.ts';
import { markerOf } from './orphans.ts';

/** A scrape may come from several systems at once; sessions do not change that fast. */
const FRESH_MS = 5_000;
/** Two small files are read for each process; what agents start beyond that is not measured. */
const MAX_PROCESSES = 5_000;
/** Processes read before the event loop gets its turn: about a millisecond. */
const SLICE = 32;
/** Ticks in which Linux tells programs of processor time, whatever the kernel counts with (USER_HZ). */
const TICKS_PER_SECOND = 100;

interface Counted {
  /** Processor time of each process that was seen, in ticks. */
  readonly ticks: Map<string, number>;
  total: number;
}

/**
 * Measures what sessions take of the machine: the sum over their processes. Processor time is counted on from one
 * sample to the next, so it never falls when a process ends; what a process used after its last sample is missing.
 */
export class UsageMeter {
  readonly #instanceId: string;
  readonly #table: ProcessTable;
  readonly #counted = new Map<string, Counted>();
  #latest: { readonly at: number; readonly usage: Promise<ReadonlyMap<string, SessionUsage>> } | null = null;

  constructor(instanceId: string, table: ProcessTable) {
    this.#instanceId = instanceId;
    this.#table = table;
  }

  /** By session; callers within some seconds share a sample. Empty where there is no `/proc`. */
  measure(
    runs: readonly { readonly sessionId: string; readonly ref: RunRef }[],
  ): Promise<ReadonlyMap<string, SessionUsage>> {
    const now = performance.now();
    if (this.#latest === null || now - this.#latest.at > FRESH_MS) {
      this.#latest = { at: now, usage: this.#sample(runs) };
    }
    return this.#latest.usage;
  }

  async #sample(
    runs: readonly { readonly sessionId: string; readonly ref: RunRef }[],
  ): Promise<ReadonlyMap<string, SessionUsage>> {
    const usage = new Map<string, { processes: number; residentBytes: number; cpuSeconds: number }>();
    const live = new Set(runs.map(({ sessionId }) => sessionId));
    for (const id of this.#counted.keys()) if (!live.has(id)) this.#counted.delete(id);
    if (process.platform !== 'linux' || runs.length === 0) return usage;
    const members = membersOf(await this.#table.list(), runs, markerOf(this.#instanceId, ''));
    const before = new Map([...this.#counted].map(([id, { ticks }]) => [id, new Map(ticks)]));
    for (const { ticks } of this.#counted.values()) ticks.clear();
    for (const [index, { sessionId, info }] of members.slice(0, MAX_PROCESSES).entries()) {
      const read = readUsage(info);
      if (read !== null) {
        const sum = usage.get(sessionId) ?? { processes: 0, residentBytes: 0, cpuSeconds: 0 };
        const counted = this.#counted.get(sessionId) ?? { ticks: new Map<string, number>(), total: 0 };
        const key = `${info.pid}@${info.startTime}`;
        counted.total += Math.max(0, read.ticks - (before.get(sessionId)?.get(key) ?? 0));
        counted.ticks.set(key, read.ticks);
        this.#counted.set(sessionId, counted);
        sum.processes += 1;
        sum.residentBytes += read.residentBytes;
        sum.cpuSeconds = counted.total / TICKS_PER_SECOND;
        usage.set(sessionId, sum);
      }
      if (index % SLICE === SLICE - 1) await nextTurn();
    }
    return usage;
  }
}

interface Member {
  readonly sessionId: string;
  readonly info: ProcessInfo;
}

/** The processes of live runs: by their mark, else by whose process group or child they are. */
function membersOf(
  all: readonly ProcessInfo[],
  runs: readonly { readonly sessionId: string; readonly ref: RunRef }[],
  prefix: string,
): readonly Member[] {
  const live = new Set(runs.map(({ sessionId }) => sessionId));
  const byPid = new Map(all.map((info) => [info.pid, info]));
  const owners = new Map<number, string | null>(runs.map(({ sessionId, ref }) => [ref.pid, sessionId]));
  const ownerOf = (info: ProcessInfo): string | null => {
    const known = owners.get(info.pid);
    if (known !== undefined) return known;
    // Before the parents are asked: a table that was read while it changed can have a circle.
    owners.set(info.pid, null);
    const marked = info.marker?.startsWith(prefix) === true ? info.marker.slice(prefix.length) : null;
    const parent = byPid.get(info.parentPid);
    const leader = byPid.get(info.sessionId);
    let owner = marked;
    if (owner === null && leader !== undefined && leader !== info) owner = ownerOf(leader);
    if (owner === null && parent !== undefined) owner = ownerOf(parent);
    owners.set(info.pid, owner);
    return owner;
  };
  return all.flatMap((info) => {
    const sessionId = info.isZombie ? null : ownerOf(info);
    return sessionId !== null && live.has(sessionId) ? [{ sessionId, info }] : [];
  });
}

/** Synchronous on purpose, as in the process table: these files are made in memory. */
function readUsage({ pid, startTime }: ProcessInfo): { ticks: number; residentBytes: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Another program with the same number.
    if (fields[19] !== startTime) return null;
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    return { ticks: Number(fields[11]) + Number(fields[12]), residentBytes: kilobytes * 1024 };
  } catch {
    return null;
  }
}
