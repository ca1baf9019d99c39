import type { Log } from '../log.ts';
import type { Workspaces } from './workspace.ts';

/** Removes the empty ones of the folders that belong to no session any more (PX-181). */
export async function sweepWorkspaces(
  workspaces: Workspaces,
  unknown: readonly string[],
  log: Log,
): Promise<void> {
  try {
    for (const folder of await workspaces.sweep(unknown))
      log.info({ folder }, 'workspace kept: it holds files');
  } catch (err) {
    log.error({ err }, 'old workspaces cannot be cleared away');
  }
}
