import type { AgentStatus, SessionState } from '@agentapi-proxy/client';

/** What a session does, as far as talking to its agent goes. */
export type SessionWork =
  | 'preparing'
  | 'starting'
  | 'connecting'
  | 'working'
  | 'waiting'
  | 'asking'
  | 'stopping'
  | 'stopped'
  | 'failed';

/** What a session in this state, with an agent of this status that may ask something, does. */
export function workOf(state: SessionState, status: AgentStatus | undefined, asks: boolean): SessionWork {
  switch (state) {
    case 'creating':
      return 'preparing';
    case 'starting':
      return 'starting';
    case 'running':
      if (asks) return 'asking';
      if (status === undefined) return 'connecting';
      return status === 'running' ? 'working' : 'waiting';
    case 'stopping':
    case 'stopped':
    case 'failed':
      return state;
  }
}

/** Whether messages are taken: also before the agent runs, they wait then. */
export function takesMessages(work: SessionWork): boolean {
  return work !== 'stopping' && work !== 'stopped' && work !== 'failed';
}

/** A duration in the form of a stopwatch: `0:42`, `1:02:03`. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `${hours > 0 ? String(minutes).padStart(2, '0') : minutes}:${String(rest).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}
