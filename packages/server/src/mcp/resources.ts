import { ApiError, ClientError } from '@agentapi-proxy/client';
import type { Session } from '@agentapi-proxy/client';
import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import type { McpServer, ReadResourceResult, ServerContext } from '@modelcontextprotocol/server';
import type { ApiOf } from './api-access.ts';
import { causeOf } from './tool-result.ts';

/** All sessions. */
export const SESSIONS_URI = 'agentapi-proxy://sessions';

const JSON_TYPE = 'application/json';

/** Sessions that a list of resources names; more are found with `list_sessions`. */
const LISTED = 100;

/** The sessions, one session and its conversation as resources. */
export function registerResources(server: McpServer, apiOf: ApiOf): void {
  server.registerResource(
    'sessions',
    SESSIONS_URI,
    { title: 'Sessions', description: 'The live sessions, newest first', mimeType: JSON_TYPE },
    (uri, context) =>
      read(uri, async () => {
        const { api, signal } = apiOf(context);
        return api.search({ limit: LISTED }, { signal });
      }),
  );

  server.registerResource(
    'session',
    new ResourceTemplate(`${SESSIONS_URI}/{session_id}`, {
      list: (context) => listSessions(apiOf, context, ''),
    }),
    { title: 'Session', description: 'Everything about one session', mimeType: JSON_TYPE },
    (uri, { session_id: id }, context) =>
      read(uri, async () => {
        const { api, signal } = apiOf(context);
        return api.get(String(id), { signal });
      }),
  );

  server.registerResource(
    'conversation',
    new ResourceTemplate(`${SESSIONS_URI}/{session_id}/messages`, {
      list: (context) => listSessions(apiOf, context, '/messages'),
    }),
    { title: 'Conversation', description: 'The messages of one session', mimeType: JSON_TYPE },
    (uri, { session_id: id }, context) =>
      read(uri, async () => {
        const { api, signal } = apiOf(context);
        return { messages: await api.session(String(id)).messages({ signal }) };
      }),
  );
}

/** The session that a URI of ours is about; `null` for every other URI. */
export function sessionIdOf(uri: string): Session['id'] | null {
  if (!uri.startsWith(`${SESSIONS_URI}/`)) return null;
  const match = /^([^/?#]+)(?:\/messages)?$/.exec(uri.slice(SESSIONS_URI.length + 1));
  return match?.[1] ?? null;
}

async function listSessions(apiOf: ApiOf, context: ServerContext, suffix: '' | '/messages') {
  const { api, signal } = apiOf(context);
  const { sessions } = await guarded(SESSIONS_URI, () => api.search({ limit: LISTED }, { signal }));
  return {
    resources: sessions.map(({ session_id: id, agent, state, user_id: owner }) => ({
      uri: `${SESSIONS_URI}/${id}${suffix}`,
      name: suffix === '' ? `session ${id}` : `conversation of ${id}`,
      description: `${agent}, ${state}, of ${owner}`,
    })),
  };
}

async function read(uri: URL, load: () => Promise<object>): Promise<ReadResourceResult> {
  const content = await guarded(uri.href, load);
  return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(content, null, 2) }] };
}

async function guarded<T>(uri: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'not_found') throw new ResourceNotFoundError(uri);
    if (error instanceof ClientError)
      throw new ProtocolError(ProtocolErrorCode.InternalError, causeOf(error));
    throw error;
  }
}
