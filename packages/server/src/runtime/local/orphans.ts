import { endProcesses, findProcesses } from '@agentapi-proxy/agent-server/process-tree';
import type { ProcessInfo, ProcessTable } from '@agentapi-proxy/agent-server/process-tree';
import type { OrphanReport } from '../runtime.ts';

/** Value of the marker variable of every process of a session. */
export function markerOf(instanceId: string, sessionId: string): string {
  return `${instanceId}.${sessionId}`;
}

/** How a process that could not be ended is named to people. */
export function describe(process: ProcessInfo): string {
  return `pid ${process.pid} (${process.name})`;
}

/** Ends every process that carries the marker of an instance; only right while the instance has no run. */
export async function endOrphans(
  instanceId: string,
  graceMs: number,
  table: ProcessTable,
): Promise<OrphanReport> {
  const marker = { value: markerOf(instanceId, ''), match: 'prefix' } as const;
  const found = await findProcesses({ marker }, table);
  const pids = new Set(found.map(({ pid }) => pid));
  // The agent servers: whatever they have started has one of the found processes for a parent.
  const roots = found.filter(({ parentPid }) => !pids.has(parentPid));
  const { ended, left } = await endProcesses({ find: { marker, roots }, graceMs, table });
  const all = [...ended, ...left];
  const sessionIds = all.flatMap((one) =>
    one.marker?.startsWith(marker.value) === true ? [one.marker.slice(marker.value.length)] : [],
  );
  return { sessionIds: [...new Set(sessionIds)], found: all.length, left: left.map(describe) };
}
