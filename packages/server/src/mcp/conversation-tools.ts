import type { Message, Session } from '@agentapi-proxy/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ApiOf } from './api-access.ts';
import { parseCursor, waitForAnswer, waitForChanges } from './conversation.ts';
import type { Changes } from './conversation.ts';
import { ProgressReport } from './progress.ts';
import { answerWith } from './tool-result.ts';
import { agentStatus, message, sessionId, waitSeconds } from './wire-schemas.ts';

/** MCP clients give up on a call after a minute unless they are told otherwise. */
const DEFAULT_WAIT_SECONDS = 50;

/** Tools for talking with the agent of a session (PX-219, DF-62). */
export function registerConversationTools(server: McpServer, apiOf: ApiOf): void {
  server.registerTool(
    'send_message',
    {
      title: 'Send a message',
      description:
        'Sends a message to the agent of a session, which must wait for input. Answers when the agent has taken it; then wait_for_answer. Type raw writes keystrokes into its terminal at any time, such as "\\u001b" for Escape.',
      inputSchema: z.strictObject({
        session_id: sessionId,
        message: z.string().min(1).describe('The message, or the keystrokes'),
        type: z
          .enum(['user', 'raw'])
          .default('user')
          .describe('user: a message of the conversation; raw: keystrokes'),
      }),
      outputSchema: z.object({
        session_id: z.string(),
        message_id: z.int().nullable().describe('Position in the conversation; null for keystrokes'),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
    },
    ({ session_id: id, message: content, type }, context) =>
      answerWith('send message', async () => {
        const { api, signal } = apiOf(context);
        const session = api.session(id);
        await session.send(content, { type, signal });
        const messageId = type === 'raw' ? null : await idOfLastMessage(session, signal);
        return {
          text: `Message sent successfully. ID: ${messageId ?? ''}`,
          data: { session_id: id, message_id: messageId },
        };
      }),
  );

  server.registerTool(
    'get_messages',
    {
      title: 'Read the conversation',
      description: 'The conversation of a session so far, oldest message first.',
      inputSchema: z.strictObject({
        session_id: sessionId,
        last: z.int().min(1).optional().describe('Only the last so many messages'),
      }),
      outputSchema: z.object({ messages: z.array(message) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id: id, last }, context) =>
      answerWith('get messages', async () => {
        const { api, signal } = apiOf(context);
        const all = await api.session(id).messages({ signal });
        const messages = last === undefined ? all : all.slice(-last);
        return { text: historyOf(messages), data: { messages } };
      }),
  );

  server.registerTool(
    'get_status',
    {
      title: 'Status of the agent',
      description: 'Whether the agent of a session works (running) or waits for input (stable).',
      inputSchema: z.strictObject({ session_id: sessionId }),
      outputSchema: z.object({ status: agentStatus, agent_type: z.string().optional() }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id: id }, context) =>
      answerWith('get status', async () => {
        const { api, signal } = apiOf(context);
        const { status, agent_type: type } = await api.session(id).status({ signal });
        return { text: `Agent Status: ${status}`, data: { status, agent_type: type } };
      }),
  );

  server.registerTool(
    'wait_for_answer',
    {
      title: 'Wait for the answer',
      description:
        'Waits until the agent has answered the last message and waits for input again, and answers with what it said. When the time is up first, finished is false and the replies are what there is so far: call it again.',
      inputSchema: z.strictObject({
        session_id: sessionId,
        timeout_seconds: waitSeconds(DEFAULT_WAIT_SECONDS),
      }),
      outputSchema: z.object({ finished: z.boolean(), status: agentStatus, replies: z.array(message) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id: id, timeout_seconds: seconds }, context) =>
      answerWith('wait for the answer', async () => {
        const { api, signal } = apiOf(context);
        const session = api.session(id);
        await using _progress = new ProgressReport(session, context);
        const { finished, status, replies } = await waitForAnswer(session, {
          waitMs: seconds * 1000,
          signal,
        });
        const said = replies.map(({ content }) => withoutPadding(content)).join('\n\n');
        const text = finished
          ? said.trim() === ''
            ? 'The agent waits for input and has said nothing.'
            : said
          : `The agent still works after ${seconds} s. So far:\n${said}`;
        return { text, data: { finished, status, replies } };
      }),
  );

  server.registerTool(
    'get_events',
    {
      title: 'What has happened since',
      description:
        'What has changed in a conversation since an earlier call: new and grown messages, the status. Without since: everything. Pass the cursor of the answer as since of the next call.',
      inputSchema: z.strictObject({
        session_id: sessionId,
        since: z
          .string()
          .refine((cursor) => parseCursor(cursor) !== null, 'must be a cursor that get_events has answered')
          .optional()
          .describe('cursor of the answer before'),
        timeout_seconds: waitSeconds(0),
      }),
      outputSchema: z.object({
        events: z.array(
          z.discriminatedUnion('kind', [
            z.object({ kind: z.literal('message_update'), message }),
            z.object({ kind: z.literal('status_change'), status: agentStatus }),
          ]),
        ),
        cursor: z.string(),
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ session_id: id, since, timeout_seconds: seconds }, context) =>
      answerWith('get events', async () => {
        const { api, signal } = apiOf(context);
        const session = api.session(id);
        // A call that does not wait has nothing to report.
        await using _progress = seconds === 0 ? null : new ProgressReport(session, context);
        const position = since === undefined ? undefined : (parseCursor(since) ?? undefined);
        const changes = await waitForChanges(session, position, { waitMs: seconds * 1000, signal });
        return { text: changesText(changes), data: { ...changes } };
      }),
  );
}

/** The message just sent; `null` when the conversation cannot be read, which does not undo the sending. */
async function idOfLastMessage(session: Session, signal: AbortSignal): Promise<number | null> {
  try {
    return (await session.messages({ signal })).findLast(({ role }) => role === 'user')?.id ?? null;
  } catch {
    return null;
  }
}

/** The conversation in the words of the reference (PX-220). */
function historyOf(messages: readonly Message[]): string {
  return `Conversation History (${messages.length} messages):\n${messages.map(lineOf).join('')}`;
}

function lineOf({ role, content, time }: Message): string {
  // RFC 3339: the clock of the agent's machine stands behind the T.
  return `[${time.slice(11, 19)}] ${role}: ${withoutPadding(content)}\n`;
}

/** Agents that draw on a terminal fill their lines up with blanks, which a model would pay for. */
function withoutPadding(content: string): string {
  return content.replaceAll(/[ \t]+$/gm, '');
}

function changesText({ events, cursor }: Changes): string {
  const lines = events.map((event) =>
    event.kind === 'status_change' ? `Agent Status: ${event.status}\n` : lineOf(event.message),
  );
  return `${lines.length === 0 ? 'Nothing has happened.\n' : lines.join('')}Cursor: ${cursor}`;
}
