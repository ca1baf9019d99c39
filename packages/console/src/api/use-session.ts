import { useEffect, useState } from 'preact/hooks';
import {
  ApiError,
  SESSION_STATES,
  type AgentStatus,
  type Client,
  type SessionDetails,
} from '@agentapi-proxy/client';
import { useConsole } from '../console-context.ts';
import { liveSessionOf, type LiveSession, type SessionFacts } from './live-session.ts';
import { isAsking } from './overview-event.ts';
import { isPassing } from './passing-error.ts';
import type { StreamTurns } from './stream-turns.ts';
import { pause, whileSeen } from './while-seen.ts';

/** A server that is away is asked again after this; the client has tried several times before. */
const RETRY_MS = 3_000;

/** What is known of the session of a page. */
export type SessionLookup =
  | { readonly kind: 'loading' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly retry: () => void }
  | {
      readonly kind: 'ready';
      readonly session: LiveSession;
      /** Everything the server tells; `null` for those who may list sessions only, and for a moment in the beginning. */
      readonly details: SessionDetails | null;
      /** Why that could not be read last; `null` when it could. */
      readonly detailsError: unknown;
      readonly retry: () => void;
    };

/** The session with this id, live: from the list of sessions, or for those who may not list them on its own. */
export function useSession(id: string): SessionLookup {
  const { auth, client, sessions, turns } = useConsole();
  const canList = auth.can('session:list');
  const canRead = auth.can('session:access');
  const listed = sessions.list.value.get(id);
  const listState = sessions.state.value;
  const [details, setDetails] = useState<SessionDetails | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const [facts, streams] = useOwnFacts(client, turns, id, !canList && canRead);
  const state = listed?.state ?? facts.state;

  useEffect(() => {
    if (!canRead) return undefined;
    const life = new AbortController();
    const { signal } = life;
    const look = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          setDetails(await client.get(id, { signal }));
          setError(null);
          return;
        } catch (failure) {
          if (signal.aborted) return;
          setError(failure);
          if (!isPassing(failure)) return;
        }
        await pause(RETRY_MS, signal);
      }
    };
    void look();
    return () => life.abort();
    // A change of the state brings a reason, an exit code, last output.
  }, [client, id, canRead, state, attempt, streams]);

  const own = details?.session_id === id ? details : null;
  const retry = (): void => {
    setError(null);
    setAttempt((count) => count + 1);
  };
  const known = { kind: 'ready', details: own, detailsError: error, retry } as const;
  if (listed !== undefined) return { ...known, session: listed };
  if (own !== null && (error === null || isPassing(error)))
    return { ...known, session: liveSessionOf(own, facts) };
  if (error instanceof ApiError && (error.kind === 'not_found' || error.kind === 'forbidden'))
    return { kind: 'missing' };
  const failure = error ?? (!canRead && listState.kind === 'failed' ? listState.error : null);
  if (failure !== null) return { kind: 'failed', error: failure, retry };
  if (!canRead && (listState.kind === 'ready' || !canList)) return { kind: 'missing' };
  return { kind: 'loading' };
}

/**
 * State and status from the journal of the session, for those who may not see the stream over all sessions; and how
 * often that has ended, which may mean that there is no such session any more.
 */
function useOwnFacts(
  client: Client,
  turns: StreamTurns,
  id: string,
  isOn: boolean,
): readonly [SessionFacts, number] {
  const [facts, setFacts] = useState<SessionFacts>({});
  const [ends, setEnds] = useState(0);
  useEffect(() => {
    setFacts({});
    if (!isOn) return undefined;
    const life = new AbortController();
    const watch = async (): Promise<void> => {
      const { signal } = life;
      let after = 0;
      const open = (end: AbortSignal) => client.session(id).conversation.events({ signal: end, after });
      try {
        for await (const { id: event, name, data } of whileSeen({ turns, signal, open })) {
          after = event;
          const change = factsOf(name, data);
          if (change !== null) setFacts((known) => ({ ...known, ...change }));
        }
      } catch {
        // The record says what is wrong with the session, or with the connection.
      }
      if (!life.signal.aborted) setEnds((count) => count + 1);
    };
    void watch();
    return () => life.abort();
  }, [client, turns, id, isOn]);
  return [facts, ends];
}

function factsOf(name: string, data: unknown): SessionFacts | null {
  if (typeof data !== 'object' || data === null) return null;
  if (name === 'status_change' && 'status' in data) {
    const statuses: readonly AgentStatus[] = ['stable', 'running'];
    const agentStatus = statuses.find((each) => each === data.status);
    return agentStatus === undefined ? null : { agentStatus, isAsking: isAsking(data) };
  }
  if (name === 'state_change' && 'state' in data) {
    const state = SESSION_STATES.find((each) => each === data.state);
    return state === undefined ? null : { state, ...(state === 'running' ? {} : { agentStatus: null }) };
  }
  return null;
}
