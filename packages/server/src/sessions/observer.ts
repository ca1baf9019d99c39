import type { SessionFacts } from './session.ts';

/** A part of a session's start that takes its time; the others are parts of `session start`. */
export type StartStep =
  | 'session start'
  | 'prepare workspace'
  | 'clone repository'
  | 'start agent server'
  | 'first message';

/** How a start came out: the session runs, it failed, or somebody ended it before. */
export type StartOutcome = 'running' | 'failed' | 'stopped';

/** Told of what happens to sessions. Nothing that it does may fail, or hold anybody up. */
export interface SessionObserver {
  /** Does a step, and follows it. */
  step<Result>(step: StartStep, session: SessionFacts, work: () => Promise<Result>): Promise<Result>;
  /** A start is over; `ms` counts from its request. */
  started(session: SessionFacts, outcome: StartOutcome, ms: number): void;
  /** An agent, or its server, ended without being asked to; `failed` when that was no orderly end. */
  exited(session: SessionFacts, which: 'agent' | 'server', outcome: 'stopped' | 'failed'): void;
  /** Nothing of a session runs any more. */
  ended(session: SessionFacts, state: 'stopped' | 'failed'): void;
  /** What became of a first message; `ms` counts from the moment when the agent server answered. */
  messageSettled(session: SessionFacts, outcome: 'delivered' | 'failed', ms: number): void;
}
