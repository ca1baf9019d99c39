import { z } from 'zod';
import { Problem, validationProblem } from '../http/problem.ts';
import { sendText, type Exchange } from '../http/reply.ts';
import { BODY_TIMEOUT_MS, readBody } from '../http/request-body.ts';
import type { Route } from '../http/router.ts';
import { eventFrame, type EventStreams, type Subscription } from '../http/sse.ts';
import {
  PermissionError,
  type AcpConversation,
  type AcpEvent,
  type PermissionOutcome,
  type PermissionRequest,
  type ToolCall,
} from './acp-model.ts';

/** The answer to a permission request: an offered option, or none. */
const answerSchema = z.union([
  z.strictObject({ option_id: z.string() }).transform(selected),
  z.strictObject({ outcome: z.literal('cancelled') }),
]);

/**
 * What an ACP agent offers beyond agentapi's interface; none of it shows on `/events`.
 *
 * - `GET /acp/tool-calls`: `{tool_calls: […]}`, the latest 500 in order of their start
 * - `GET /acp/permissions`: `{permissions: […]}`, the requests that wait for an answer
 * - `POST /acp/permissions/{id}` with `{option_id}` or `{outcome: "cancelled"}`: `{ok: true}`; 404 when no
 *   such request waits, 422 when it offers no such option
 * - `POST /acp/cancel`: `{ok: true, cancelled}`, `cancelled` tells whether a turn was running
 * - `GET /acp/events`: a stream of `tool_call`, `plan`, `permission_request`, `permission_resolved`,
 *   `turn_started` and `turn_ended`; it begins with the tool calls, the plan and the waiting requests
 *
 * Requests wait until the agent is started; a rejection of `conversation` is answered with 500.
 */
export function acpRoutes(conversation: Promise<AcpConversation>): (path: string) => Route | undefined {
  const get = (reply: (agent: AcpConversation) => object): Route => ({
    method: 'GET',
    handler: async (exchange) => sendReply(exchange, reply(await started(conversation))),
  });
  const routes: ReadonlyMap<string, Route> = new Map([
    ['/acp/tool-calls', get((agent) => ({ tool_calls: agent.toolCalls().map(toolCallBody) }))],
    ['/acp/permissions', get((agent) => ({ permissions: agent.permissionRequests().map(permissionBody) }))],
    [
      '/acp/cancel',
      {
        method: 'POST',
        handler: async (exchange) =>
          sendReply(exchange, { ok: true, cancelled: await (await started(conversation)).cancelTurn() }),
      },
    ],
    [
      '/acp/events',
      {
        method: 'GET',
        handler: async ({ response }: Exchange, streams: EventStreams) =>
          streams.open(response, acpStream(await started(conversation))),
      },
    ],
  ]);
  return (path) => {
    const permission = /^\/acp\/permissions\/([^/]+)$/u.exec(path)?.[1];
    if (permission === undefined) return routes.get(path);
    return {
      method: 'POST',
      handler: async (exchange) => answerPermission(exchange, await started(conversation), permission),
    };
  };
}

async function started(conversation: Promise<AcpConversation>): Promise<AcpConversation> {
  return conversation.catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : 'unknown error';
    throw new Problem(500, 'unexpected error occurred', [
      { message: `the agent could not be started: ${reason}` },
    ]);
  });
}

async function answerPermission(exchange: Exchange, agent: AcpConversation, id: string): Promise<void> {
  const answer = parseAnswer(await readBody(exchange.request, BODY_TIMEOUT_MS));
  try {
    agent.answerPermission(id, answer);
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    if (error.reason === 'unknown_request') throw new Problem(404, error.message);
    throw validationProblem([{ message: error.message, location: 'body.option_id' }]);
  }
  sendReply(exchange, { ok: true });
}

function parseAnswer(body: Buffer): PermissionOutcome {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw validationProblem([{ message: 'expected JSON', location: 'body' }], 400);
  }
  const answer = answerSchema.safeParse(value);
  if (answer.success) return answer.data;
  const message = 'expected {"option_id": string} or {"outcome": "cancelled"}';
  throw validationProblem([{ message, location: 'body', value }]);
}

function selected({ option_id }: { readonly option_id: string }): PermissionOutcome {
  return { outcome: 'selected', optionId: option_id };
}

function acpStream(agent: AcpConversation): Subscription<AcpEvent> {
  const plan = agent.plan();
  return {
    snapshot: [
      ...agent.toolCalls().map((toolCall) => eventFrame('tool_call', toolCallBody(toolCall))),
      ...(plan.length > 0 ? [eventFrame('plan', { entries: plan })] : []),
      ...agent
        .permissionRequests()
        .map((request) => eventFrame('permission_request', permissionBody(request))),
    ],
    frame: (event) => () => acpFrame(event),
    subscribe: (listener) => agent.subscribeAcp(listener),
  };
}

function acpFrame(event: AcpEvent): string {
  switch (event.kind) {
    case 'tool-call':
      return eventFrame('tool_call', toolCallBody(event.toolCall));
    case 'permission-request':
      return eventFrame('permission_request', permissionBody(event.request));
    case 'permission-resolved':
      return eventFrame('permission_resolved', {
        id: event.id,
        tool_call_id: event.toolCallId,
        outcome: event.outcome.outcome,
        ...(event.outcome.outcome === 'selected' ? { option_id: event.outcome.optionId } : {}),
        resolved_by: event.resolvedBy,
      });
    case 'plan':
      return eventFrame('plan', { entries: event.entries });
    case 'turn-started':
      return eventFrame('turn_started', {});
    case 'turn-ended':
      return eventFrame('turn_ended', { stop_reason: event.stopReason });
  }
}

/** `content`, `raw_input` and `raw_output` are the agent's own words, in the protocol's spelling. */
function toolCallBody(call: ToolCall): object {
  return {
    id: call.id,
    title: call.title,
    kind: call.kind,
    status: call.status,
    content: call.content,
    locations: call.locations,
    ...(call.rawInput === undefined ? {} : { raw_input: call.rawInput }),
    ...(call.rawOutput === undefined ? {} : { raw_output: call.rawOutput }),
    started_at: call.startedAt,
    updated_at: call.updatedAt,
  };
}

function permissionBody(request: PermissionRequest): object {
  return {
    id: request.id,
    tool_call: toolCallBody(request.toolCall),
    options: request.options.map(({ id, name, kind }) => ({ option_id: id, name, kind })),
    requested_at: request.requestedAt,
    expires_at: request.expiresAt,
  };
}

function sendReply(exchange: Exchange, body: object): void {
  sendText(exchange, 200, 'application/json', `${JSON.stringify(body)}\n`);
}
