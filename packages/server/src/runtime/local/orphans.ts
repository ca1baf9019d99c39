import { endProcesses, findProcesses } from '@agentapi-proxy/agent-server/process-tree';
import type { ProcessInfo, ProcessTable } from '@agentapi-proxy/agent-server/process-tree';
import type { Orphans, StopReport } from '../runtime.ts';

/** Value of the marker variable of every process of a session. */
export function markerOf(instanceId: string, sessionId: string): string {
  return `${instanceId}.${sessionId}`;
}

/** How a process that could not be ended is named to people. */
export function describe(process: ProcessInfo): string {
  return `pid ${process.pid} (${process.name})`;
}

/** Every process that carries the marker of an instance, but not that of a session in `keep`. */
export async function findOrphans(
  instanceId: string,
  keep: ReadonlySet<string>,
  table: ProcessTable,
): Promise<Orphans> {
  const prefix = markerOf(instanceId, '');
  const found = await findProcesses({ marker: { value: prefix, match: 'prefix' } }, table);
  const bySession = new Map<string, ProcessInfo[]>();
  for (const one of found) {
    const id = one.marker?.startsWith(prefix) === true ? one.marker.slice(prefix.length) : null;
    if (id !== null && !keep.has(id)) bySession.set(id, [...(bySession.get(id) ?? []), one]);
  }
  const sessionIds = [...bySession.keys()];
  const total = [...bySession.values()].reduce((sum, processes) => sum + processes.length, 0);
  const endOf = async (id: string, graceMs: number): Promise<StopReport> => {
    const processes = bySession.get(id) ?? [];
    if (processes.length === 0) return { left: [] };
    const pids = new Set(processes.map(({ pid }) => pid));
    // The agent servers: whatever they have started has one of the found processes for a parent.
    const roots = processes.filter(({ parentPid }) => !pids.has(parentPid));
    const marker = { value: markerOf(instanceId, id), match: 'equal' } as const;
    const { left } = await endProcesses({ find: { marker, roots }, graceMs, table });
    // Their numbers may soon be those of others.
    if (left.length === 0) bySession.delete(id);
    return { left: left.map(describe) };
  };
  return {
    sessionIds,
    found: total,
    end: async (graceMs) => {
      // Session by session: by now other sessions of this instance may have begun.
      const reports = await Promise.all(sessionIds.map(async (id) => endOf(id, graceMs)));
      return { left: reports.flatMap(({ left }) => left) };
    },
    endOf,
  };
}
