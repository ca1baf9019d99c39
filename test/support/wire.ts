import { z } from 'zod';
import { eventually } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

/** The raw wire, for tests of the wire itself; others use the client. */

const startReply = z.strictObject({ session_id: z.uuidv4() });
const errorReply = z.looseObject({ message: z.string(), code: z.string(), request_id: z.string() });

const row = z.looseObject({
  session_id: z.string(),
  user_id: z.string(),
  status: z.string(),
  state: z.string(),
  agent: z.string(),
  port: z.number(),
  started_at: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  tags: z.record(z.string(), z.string()),
});
const searchReply = z.strictObject({ sessions: z.array(row), next_cursor: z.string().optional() });
export type Row = z.infer<typeof row>;

const detail = row.extend({
  reason: z.string().optional(),
  exit_code: z.number().nullable(),
  exit_signal: z.string().nullable(),
  last_output: z.array(z.string()),
  environment_names: z.array(z.string()),
  initial_message: z.looseObject({ state: z.string(), reason: z.string().optional() }).optional(),
  history: z.array(z.looseObject({ state: z.string(), at: z.string() })),
});
export type Detail = z.infer<typeof detail>;

const messagesReply = z.looseObject({
  messages: z.array(z.looseObject({ id: z.number(), role: z.string(), content: z.string() })),
});
const statusReply = z.looseObject({ status: z.string() });

export function jsonRequest(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** Starts a session; fails the test unless it is accepted. */
export async function start(
  server: ServerProcess,
  body: unknown = {},
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await server.request('/start', jsonRequest(body, headers));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`POST /start: ${response.status} ${text}`);
  return startReply.parse(JSON.parse(text)).session_id;
}

export async function search(
  server: ServerProcess,
  query = '',
  headers: Record<string, string> = {},
): Promise<Row[]> {
  const response = await server.request(`/search${query}`, { headers });
  return searchReply.parse(await response.json()).sessions;
}

export async function getSession(server: ServerProcess, id: string): Promise<Detail> {
  const response = await server.request(`/sessions/${id}`);
  return detail.parse(await response.json());
}

/** Waits until a session has one of the states. */
export async function untilState(server: ServerProcess, id: string, ...states: string[]): Promise<Detail> {
  return await eventually(`session ${id} is ${states.join(' or ')}`, async () => {
    const session = await getSession(server, id);
    return states.includes(session.state) && session;
  });
}

/** Waits until the agent of a session waits for input. */
export async function untilStable(server: ServerProcess, id: string): Promise<void> {
  await eventually(
    `session ${id} is stable`,
    async () => {
      const response = await server.request(`/${id}/status`);
      const body = await response.json();
      return response.status === 200 && statusReply.parse(body).status === 'stable';
    },
    25_000,
  );
}

/** Sends a user message to a stable agent. */
export async function say(server: ServerProcess, id: string, content: string): Promise<void> {
  const response = await server.request(`/${id}/message`, jsonRequest({ content, type: 'user' }));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`POST /message: ${response.status} ${text}`);
}

/** Sends a user message and waits for the whole answer; the texts of the agent after it. */
export async function ask(server: ServerProcess, id: string, content: string): Promise<string> {
  await untilStable(server, id);
  await say(server, id, content);
  await untilStable(server, id);
  const messages = await messagesOf(server, id);
  const asked = messages.findLastIndex((message) => message.role === 'user');
  return messages
    .slice(asked + 1)
    .map((message) => message.content)
    .join('\n');
}

export async function messagesOf(
  server: ServerProcess,
  id: string,
): Promise<z.infer<typeof messagesReply>['messages']> {
  const response = await server.request(`/${id}/messages`);
  return messagesReply.parse(await response.json()).messages;
}

export async function remove(
  server: ServerProcess,
  id: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await server.request(`/sessions/${id}`, { method: 'DELETE', headers });
}

/** Checks that an answer has the one JSON error shape and gives it. */
export async function errorOf(
  response: Response,
): Promise<z.infer<typeof errorReply> & { readonly status: number }> {
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('application/json')) throw new Error(`the error has content type ${type}`);
  return { ...errorReply.parse(await response.json()), status: response.status };
}
