import { setTimeout as sleep } from 'node:timers/promises';
import { SessionEndedError } from '@agentapi-proxy/client';
import type { Session } from '@agentapi-proxy/client';
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { McpServer } from '@modelcontextprotocol/server';
import type { ApiOf } from './api-access.ts';
import { changesSince, parseCursor, readSnapshot, waitForChanges } from './conversation.ts';
import { sessionIdOf } from './resources.ts';

/** Each has an event stream of its own. */
const MAX_SUBSCRIPTIONS = 32;

/** An agent redraws its message many times a second; whoever is told reads the whole resource again. */
const MIN_INTERVAL_MS = 1_000;

/**
 * Lets a client subscribe to sessions and conversations: it is told when one of them has changed. For clients of the
 * protocol's 2025 versions, whose connection lasts; ends with the connection.
 */
export function serveSubscriptions({ server }: McpServer, apiOf: ApiOf): void {
  const watches = new Map<string, AbortController>();
  server.registerCapabilities({ resources: { subscribe: true } });

  const watch = async (uri: string, session: Session, { signal }: AbortController): Promise<void> => {
    try {
      let { cursor } = changesSince(undefined, await readSnapshot(session, signal));
      for (;;) {
        const position = parseCursor(cursor) ?? undefined;
        ({ cursor } = await waitForChanges(session, position, { waitMs: Infinity, signal }));
        await server.sendResourceUpdated({ uri });
        await sleep(MIN_INTERVAL_MS, undefined, { signal });
      }
    } catch (error) {
      if (error instanceof SessionEndedError) await server.sendResourceUpdated({ uri });
    }
  };

  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }, context) => {
    const id = sessionIdOf(uri);
    if (id === null) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${uri} cannot be subscribed to`);
    }
    if (watches.has(uri)) return {};
    if (watches.size >= MAX_SUBSCRIPTIONS) {
      const text = `at most ${MAX_SUBSCRIPTIONS} subscriptions at a time`;
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, text);
    }
    const { api, signal } = apiOf(context);
    const session = api.session(id);
    // Whether there is such a session, and whether it may be read, is said at once.
    await session.details({ signal });
    const stop = new AbortController();
    watches.set(uri, stop);
    void watch(uri, session, stop)
      .catch(() => undefined)
      .finally(() => {
        if (watches.get(uri) === stop) watches.delete(uri);
      });
    return {};
  });

  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    watches.get(uri)?.abort();
    watches.delete(uri);
    return {};
  });

  // eslint-disable-next-line unicorn/prefer-add-event-listener -- it is no event target
  server.onclose = () => {
    for (const stop of watches.values()) stop.abort();
    watches.clear();
  };
}
