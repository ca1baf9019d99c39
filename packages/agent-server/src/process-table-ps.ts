import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ProcessInfo } from './process-table.ts';

const run = promisify(execFile);
/** `ps` answers in milliseconds; one that hangs must not hold up the end of a session for ever. */
const PS_TIMEOUT_MS = 5_000;
const PS_LIMITS = { timeout: PS_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 } as const;

/**
 * The process table where there is no `/proc`: best effort. The environment is readable on macOS only,
 * and there only of the user's own processes.
 */
export async function psProcesses(): Promise<readonly ProcessInfo[]> {
  const columns = ['pid', 'ppid', 'pgid', 'sess', 'state', 'lstart', 'comm'].flatMap((name) => [
    '-o',
    `${name}=`,
  ]);
  const { stdout } = await run('ps', ['-ax', ...columns], PS_LIMITS);
  const rows = parsePs(stdout);
  if (process.platform !== 'darwin') return rows;
  const withEnvironment = await run('ps', ['-axEww', '-o', 'pid=', '-o', 'command='], PS_LIMITS);
  const markers = parseMarkers(withEnvironment.stdout);
  return rows.map((row) => ({ ...row, marker: markers.get(row.pid) ?? null }));
}

/** Reads lines of `ps -o pid=,ppid=,pgid=,sess=,state=,lstart=,comm=`; lines of another shape are skipped. */
export function parsePs(text: string): readonly ProcessInfo[] {
  const row =
    /^\s*(?<pid>\d+)\s+(?<parent>\d+)\s+(?<group>\d+)\s+(?<session>\S+)\s+(?<state>\S+)\s+(?<start>\S+\s+\S+\s+\S+\s+\S+\s+\d{4})\s+(?<name>.*)$/;
  const found: ProcessInfo[] = [];
  for (const line of text.split('\n')) {
    const groups = row.exec(line)?.groups;
    if (groups === undefined) continue;
    const state = groups['state'] ?? '';
    found.push({
      pid: Number(groups['pid']),
      startTime: (groups['start'] ?? '').replaceAll(/\s+/g, ' '),
      bootId: '',
      parentPid: Number(groups['parent']),
      groupId: Number(groups['group']),
      // macOS prints an address or 0 here; no process has such an id, so nothing is found by it.
      sessionId: Number(groups['session']) || 0,
      name: (groups['name'] ?? '').trim(),
      isStopped: state.startsWith('T'),
      isZombie: state.startsWith('Z'),
      marker: null,
    });
  }
  return found;
}

function parseMarkers(text: string): ReadonlyMap<number, string> {
  const markers = new Map<number, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s.*\sAGENTAPI_PROXY_SESSION=(\S+)/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) markers.set(Number(match[1]), match[2]);
  }
  return markers;
}
