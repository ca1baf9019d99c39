import type {
  InitialMessageState,
  SessionExit,
  SessionFacts,
  SessionState,
  StateChange,
} from '../sessions/session.ts';

/** What became of a first message; `sending` says that it may have arrived: look before sending again. */
export type MessageState = InitialMessageState | { readonly state: 'sending'; readonly at: Date };

/** The process of a session's agent server; enough to find and prove it again after a restart (DF-27). */
export interface StoredRun {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly port: number;
}

/** The agent as it was configured when the session began, so that a resume starts the same. */
export interface AgentSnapshot {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absent in imported sessions: through its terminal. */
  readonly transport?: 'pty' | 'acp';
}

/** What a session was started with; sealed at rest. */
export interface SessionStart {
  readonly environment: Readonly<Record<string, string>>;
  readonly agent: AgentSnapshot;
  /** Arguments of the request, after the agent's own. */
  readonly agentArgs: readonly string[];
  readonly systemPrompt: string | null;
  /** Put into the workspace before the agent starts. */
  readonly workspaceFiles?: readonly { readonly path: string; readonly content: string }[];
  /** Name of the start script that was asked for; `null` or absent: none was. */
  readonly script?: string | null;
  /** What is cloned into the workspace; `null` or absent: nothing. */
  readonly repository?: StoredRepository | null;
  /** Token for that repository besides what the environment holds. */
  readonly githubToken?: string | null;
}

/** What a session works on. */
export interface StoredRepository {
  readonly repository: { readonly owner: string; readonly name: string };
  readonly branch: string | null;
  readonly ref: string | null;
  readonly createBranch: boolean;
  /** Commits of history; `null` = all. */
  readonly depth: number | null;
}

export interface NewSession {
  readonly facts: SessionFacts;
  /** The data folder whose server runs the session. */
  readonly instanceId: string;
  readonly port: number;
  readonly start: SessionStart;
  /** The first message, pending; `null` when there is none. */
  readonly message: string | null;
}

/** What lists show of a session. */
export interface SessionSummary {
  readonly facts: SessionFacts;
  readonly instanceId: string;
  readonly state: SessionState;
  /** Reason of the latest state change. */
  readonly reason: string | null;
  /** Last state change or use. */
  readonly updatedAt: Date;
  readonly port: number;
}

/** All of a session that is no secret. */
export interface SessionRecord extends SessionSummary {
  /** Oldest first; never empty. */
  readonly history: readonly StateChange[];
  readonly exit: SessionExit | null;
  /** `null` when the session was started without a message. */
  readonly message: MessageState | null;
  readonly run: StoredRun | null;
}

/** The secrets of a session. */
export interface SessionSecrets extends SessionStart {
  /** The first message, until it was delivered. */
  readonly message: string | null;
  /** What requests to the agent server must carry. */
  readonly token: string | null;
}

/** What a state change writes besides the state. */
export interface TransitionChange {
  readonly at: Date;
  readonly reason?: string;
  readonly exit?: SessionExit | null;
  readonly port?: number;
}

export interface SessionFilter {
  /** Absent: all states. */
  readonly states?: ReadonlySet<SessionState>;
  readonly ownerId?: string;
  /** Sessions that this user owns or that are shared with them at `at`. */
  readonly visibleTo?: { readonly userId: string; readonly at: Date };
  /** Every one of them, with exactly this value. */
  readonly tags?: ReadonlyMap<string, string>;
}

/** Place in the list: newest first, equal times by id (PX-115, PX-122). */
export interface SessionCursor {
  readonly createdAt: Date;
  readonly id: string;
}

export interface SessionPage {
  readonly sessions: readonly SessionSummary[];
  /** Where the next page begins; `null` on the last one. */
  readonly next: SessionCursor | null;
}
