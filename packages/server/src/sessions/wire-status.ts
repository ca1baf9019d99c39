import type { SessionState } from './session.ts';

/**
 * The wire field `status`. The reference knows `active` from creation to the end (proxy-api section
 * 5.2); sessions that have ended are ours alone and carry their state's own name.
 */
export function wireStatus(state: SessionState): 'active' | 'stopped' | 'failed' {
  switch (state) {
    case 'creating':
    case 'starting':
    case 'running':
    case 'stopping':
      return 'active';
    case 'stopped':
      return 'stopped';
    case 'failed':
      return 'failed';
  }
}
