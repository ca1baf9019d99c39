import type { AgentStatus, SessionAccess, SessionState, SessionSummary } from '@agentapi-proxy/client';

/** What a session does, as people see it. */
export type SessionPhase = 'starting' | 'working' | 'waiting' | 'stopping' | 'stopped' | 'failed';

/** A session as the list shows it; a new object whenever anything of it changes. */
export interface LiveSession {
  readonly id: string;
  readonly ownerId: string;
  /** What the person may do with it. */
  readonly access: SessionAccess;
  readonly agent: string;
  readonly state: SessionState;
  readonly phase: SessionPhase;
  readonly tags: Readonly<Record<string, string>>;
  readonly workspaceName: string | undefined;
  /** `owner/name` or address; `undefined` without one. */
  readonly repository: string | undefined;
  /** In milliseconds since 1970, as all times here. */
  readonly createdAt: number;
  readonly lastActivity: number;
}

/** What the event stream has told of a session beyond its row in a search. */
export interface SessionFacts {
  readonly ownerId?: string;
  readonly state?: SessionState;
  readonly agentStatus?: AgentStatus | null;
  /** The agent waits for the answer to a question. */
  readonly isAsking?: boolean;
  readonly lastActivity?: number;
}

/** What a session in this state does, of whose agent this is known. */
export function phaseOf(state: SessionState, { agentStatus, isAsking }: SessionFacts): SessionPhase {
  switch (state) {
    case 'creating':
    case 'starting':
      return 'starting';
    case 'running':
      // Until the agent has said how it is, it is not known whether it takes anything.
      if (agentStatus === undefined || agentStatus === null) return 'starting';
      return agentStatus === 'stable' || isAsking === true ? 'waiting' : 'working';
    case 'stopping':
    case 'stopped':
    case 'failed':
      return state;
  }
}

/** Whether the session has processes, or will have. */
export function isLive(phase: SessionPhase): boolean {
  return phase !== 'stopped' && phase !== 'failed';
}

/** The row of a search with what has happened since. */
export function liveSessionOf(row: SessionSummary, facts: SessionFacts = {}): LiveSession {
  const state = facts.state ?? row.state;
  return {
    id: row.session_id,
    ownerId: row.user_id,
    // A server that does not tell refuses what may not be done.
    access: row.access ?? 'own',
    agent: row.agent,
    state,
    phase: phaseOf(state, facts),
    tags: row.tags,
    workspaceName: row.workspace_name,
    repository: row.tags['repository'] || undefined,
    createdAt: Date.parse(row.created_at),
    lastActivity: Math.max(Date.parse(row.updated_at), facts.lastActivity ?? 0),
  };
}

/** Whether two pictures of a session show the same, so that nothing needs to be drawn again. */
export function isSameSession(a: LiveSession, b: LiveSession): boolean {
  return (
    a.phase === b.phase &&
    a.state === b.state &&
    a.lastActivity === b.lastActivity &&
    a.workspaceName === b.workspaceName &&
    a.tags === b.tags &&
    a.ownerId === b.ownerId &&
    a.access === b.access
  );
}
