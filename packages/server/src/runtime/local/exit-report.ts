import { readFile } from 'node:fs/promises';
import { exitReportSchema } from '@agentapi-proxy/agent-server/control';
import type { RunExit } from '../runtime.ts';

/**
 * How a run ended, by what its agent server has left.
 * @param path - `null` for an agent server that leaves nothing.
 * @returns `null` when there is no readable report: then it was ended from outside.
 */
export async function readExitReport(path: string | null): Promise<RunExit | null> {
  if (path === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
  const parsed = exitReportSchema.safeParse(value);
  if (!parsed.success) return null;
  const report = parsed.data;
  switch (report.kind) {
    case 'agent-exited': {
      const { code, signal, lastOutput, wasReady } = report;
      return { kind: 'agent', code, signal, lastOutput, wasReady };
    }
    case 'failed': {
      const { reason, wasReady } = report;
      return { kind: 'server', code: null, signal: null, lastOutput: [], wasReady, reason };
    }
  }
}
