import { SESSION_STATES } from '@agentapi-proxy/client';
import type { SearchPage, SessionSummary } from '@agentapi-proxy/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ApiOf } from './api-access.ts';
import { answerWith } from './tool-result.ts';
import type { ToolAnswer } from './tool-result.ts';
import { environment, sessionDetails, sessionId, sessionPage, startedSession, tags } from './wire-schemas.ts';

/** The tag that the reference puts a `user_id` into, and searches by (proxy-api section 12). */
const USER_TAG = 'user_id';

/** A model reads the list: a page of this size fits into its context. */
const PAGE_SIZE = 50;

/** Tools that start, find, show and end sessions (PX-219, DF-62). */
export function registerSessionTools(server: McpServer, apiOf: ApiOf): void {
  server.registerTool(
    'start_session',
    {
      title: 'Start a session',
      description:
        'Starts a coding agent in a session of its own and answers at once with the session id. Give it the task as message, or send it later with send_message; then wait_for_answer.',
      inputSchema: z.strictObject({
        user_id: z
          .string()
          .min(1)
          .describe(
            'Whom the session is for; kept as the tag user_id. The owner is always the user of the API key',
          ),
        environment,
        agent: z.string().min(1).optional().describe('Agent to run; without it the default of the server'),
        message: z.string().min(1).optional().describe('First message, delivered once the agent is ready'),
        tags,
      }),
      outputSchema: startedSession,
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
    },
    ({ user_id: userId, tags: otherTags, ...rest }, context) =>
      answerWith('start session', async () => {
        // A tag, as with the reference, and never the owner: nobody acts as somebody else (PX-225, DF-20).
        const request = { ...rest, tags: { ...otherTags, [USER_TAG]: userId } };
        const { api, signal } = apiOf(context);
        const { id } = await api.start(request, { signal });
        return startedAnswer(id);
      }),
  );

  server.registerTool(
    'search_sessions',
    {
      title: 'Search sessions',
      description:
        'Finds sessions by the user_id they were started for, by status and by tags. Sessions that have ended are found with status "stopped" or "failed" and state.',
      inputSchema: z.strictObject({
        user_id: z.string().optional().describe('Whom the sessions were started for (the tag user_id)'),
        status: z.string().optional().describe('active, stopped or failed'),
        tags,
      }),
      outputSchema: sessionPage,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ user_id: userId, status, tags: otherTags }, context) =>
      answerWith('search sessions', async () => {
        const wanted = { ...otherTags, ...(present(userId) ? { [USER_TAG]: userId } : {}) };
        const filter = { status, tags: wanted, ...(ended(status) ? { state: status } : {}) };
        const { api, signal } = apiOf(context);
        const page = await api.search(filter, { signal });
        return { text: `Found ${page.sessions.length} sessions:\n${linesOf(page)}`, data: { ...page } };
      }),
  );

  server.registerTool(
    'list_sessions',
    {
      title: 'List sessions',
      description: 'Lists sessions, newest first: the live ones, or those in one state.',
      inputSchema: z.strictObject({
        state: z.enum(SESSION_STATES).optional().describe('Only sessions in this state'),
        limit: z.int().min(1).max(1000).default(PAGE_SIZE).describe('Most sessions to list'),
        cursor: z.string().min(1).optional().describe('next_cursor of the page before'),
      }),
      outputSchema: sessionPage,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (filter, context) =>
      answerWith('list sessions', async () => {
        const { api, signal } = apiOf(context);
        const page = await api.search(filter, { signal });
        const more = page.next_cursor ? `More with cursor ${page.next_cursor}\n` : '';
        return {
          text: `${page.sessions.length} sessions:\n${linesOf(page)}${more}`,
          data: { ...page },
        };
      }),
  );

  server.registerTool(
    'get_session',
    {
      title: 'Show a session',
      description: 'Everything about one session: state, agent, tags, why it failed, its last output.',
      inputSchema: z.strictObject({ session_id: sessionId }),
      outputSchema: sessionDetails,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id: id }, context) =>
      answerWith('get session', async () => {
        const { api, signal } = apiOf(context);
        const details = await api.get(id, { signal });
        return { text: JSON.stringify(details, null, 2), data: { ...details } };
      }),
  );

  server.registerTool(
    'get_logs',
    {
      title: 'Read the log of a session',
      description: 'The last lines that the processes of a session printed; tells why a session failed.',
      inputSchema: z.strictObject({
        session_id: sessionId,
        lines: z.int().min(1).max(5000).default(100).describe('How many of the last lines'),
      }),
      outputSchema: z.object({ session_id: z.string(), lines: z.array(z.string()) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id: id, lines }, context) =>
      answerWith('get logs', async () => {
        const { api, signal } = apiOf(context);
        const text = await api.log(id, { lines, signal });
        const found = text === '' ? [] : text.replace(/\n$/, '').split('\n');
        return { text: text === '' ? 'The log is empty.' : text, data: { session_id: id, lines: found } };
      }),
  );

  server.registerTool(
    'delete_session',
    {
      title: 'End a session',
      description: 'Ends a session: its agent and everything the agent has started. It cannot be undone.',
      inputSchema: z.strictObject({ session_id: sessionId }),
      outputSchema: z.looseObject({ session_id: z.string(), message: z.string(), status: z.string() }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    },
    ({ session_id: id }, context) =>
      answerWith('delete session', async () => {
        const { api, signal } = apiOf(context);
        const result = await api.delete(id, { signal });
        return { text: `${result.message}. Session ID: ${id}`, data: { ...result } };
      }),
  );
}

/** The answer to every way of starting a session (PX-220). */
export function startedAnswer(id: string): ToolAnswer {
  return { text: `Session started successfully. Session ID: ${id}`, data: { session_id: id } };
}

function linesOf({ sessions }: SearchPage): string {
  return sessions.map((session) => `${lineOf(session)}\n`).join('');
}

function lineOf({ session_id: id, user_id: user, status, port, started_at: at }: SessionSummary): string {
  return `- Session ID: ${id}, User: ${user}, Status: ${status}, Port: ${port ?? 0}, Started: ${at}`;
}

/** A search shows live sessions unless it names the state of those that have ended. */
function ended(status: string | undefined): status is 'stopped' | 'failed' {
  return status === 'stopped' || status === 'failed';
}

function present(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
