/** States of a session; `failed` is reached from the first three only. */
export const SESSION_STATES = ['creating', 'starting', 'running', 'stopping', 'stopped', 'failed'] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** One entry of a session's state history. */
export interface StateChange {
  readonly state: SessionState;
  readonly at: Date;
  /** Why, as a sentence for the session's owner; absent for the ordinary way forward. */
  readonly reason?: string;
}

/** What became of the first message of a session (DF-35). */
export type InitialMessageState =
  | { readonly state: 'pending' }
  | { readonly state: 'delivered'; readonly at: Date }
  | { readonly state: 'failed'; readonly reason: string };

/** Where a session's agent server answers. */
export interface Endpoint {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** Sent in `x-agentapi-token`; `null` for an external `agentapi`, which has none. */
  readonly token: string | null;
}

/** What the data plane needs of a session; all of it in memory. */
export interface SessionRoute {
  readonly id: string;
  readonly ownerId: string;
  readonly state: SessionState;
  /** Set while the state is `running` or `stopping`. */
  readonly endpoint: Endpoint | null;
  /** Resolves when the session leaves `creating` and `starting`; immediately if it has. Rejects when `signal` aborts. */
  untilStarted(signal: AbortSignal): Promise<void>;
  /** Aborted when the session ends: open streams and requests to it end then. */
  readonly ended: AbortSignal;
  /** Notes that somebody used the session. */
  touch(): void;
}
