import { z } from 'zod';

/*
 * What tools take and answer. Answers are loose: members that a newer server adds are passed on. Every description is
 * read by a model.
 */

/** The session that a tool is about. */
export const sessionId = z
  .string()
  .min(1)
  .describe('Id of the session, as start_session and list_sessions answer it');

const stringMap = z.record(z.string(), z.string());

/** Environment variables for an agent; other values than texts are refused (PX-222). */
export const environment = stringMap
  .optional()
  .describe('Environment variables for the agent; names and values are texts');

/** Labels of a session. */
export const tags = stringMap.optional().describe('Labels of the session, which it can be found by later');

/** The longest time a tool waits. */
export const MAX_WAIT_SECONDS = 600;

/** How long a tool may wait, with its default. */
export function waitSeconds(initial: number) {
  return z
    .number()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .default(initial)
    .describe(`Longest wait in seconds, at most ${MAX_WAIT_SECONDS}`);
}

/** A session in a list. */
export const sessionSummary = z.looseObject({
  session_id: z.string(),
  user_id: z.string().describe('Owner'),
  status: z.string().describe('active, stopped or failed'),
  state: z.string().describe('creating, starting, running, stopping, stopped or failed'),
  agent: z.string(),
  started_at: z.string(),
  tags: stringMap,
});

/** A page of sessions. */
export const sessionPage = z.object({
  sessions: z.array(sessionSummary),
  next_cursor: z.string().optional().describe('There are more: pass it as cursor'),
});

/** Everything about a session. */
export const sessionDetails = sessionSummary.extend({
  agent_type: z.string(),
  reason: z.string().optional().describe('Why it failed or stopped'),
  last_output: z.array(z.string()).optional().describe('Last lines of output of a session that failed'),
});

/** A session that was just started. */
export const startedSession = z.object({ session_id: z.string() });

/** Whether the agent works. */
export const agentStatus = z
  .enum(['stable', 'running'])
  .describe('stable: the agent waits for input; running: it works');

/** A message of a conversation. */
export const message = z.looseObject({
  id: z.int().describe('Position in the conversation, from 0'),
  role: z.enum(['agent', 'user']),
  content: z.string(),
  time: z.string(),
});
