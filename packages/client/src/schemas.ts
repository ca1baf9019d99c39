// `zod/mini`: 8 kB compressed in a browser instead of 26 kB, and it never probes for `eval`, which a strict
// content security policy would report.
import * as z from 'zod/mini';
import type { components } from './schema.gen.ts';

/*
 * Wire objects keep their wire names. They are loose: members that a newer server adds are passed on.
 */

/** States of a session; `failed` is reached from the first three only. */
export const SESSION_STATES = ['creating', 'starting', 'running', 'stopping', 'stopped', 'failed'] as const;
/** State of a session, finer than the `status` word. */
export type SessionState = SessionSummary['state'];

/** What a new session gets; everything is optional. */
export type StartRequest = components['schemas']['StartRequest'];

/** One row of a search. */
export type SessionSummary = WithOptional<components['schemas']['SessionSummary'], 'access'>;

/** What the caller may do with a session. */
export type SessionAccess = components['schemas']['SessionSummary']['access'];

/** `Wire` without the promise that older servers tell `Members`, too. */
type WithOptional<Wire, Members extends keyof Wire> = Omit<Wire, Members> & {
  readonly [Member in Members]?: Wire[Member] | undefined;
};

/** One page of a search, newest session first. */
export interface SearchPage extends Omit<components['schemas']['SearchPage'], 'sessions'> {
  readonly sessions: readonly SessionSummary[];
}

/** One entry of a session's history. */
export type StateChange = SessionDetails['history'][number];

/** What became of the message given at the start. */
export type InitialMessage = NonNullable<SessionDetails['initial_message']>;

/** Everything the server tells about one session. */
export type SessionDetails = WithOptional<components['schemas']['SessionDetail'], 'access'>;

/** Answer to a deletion. */
export type DeleteResult = components['schemas']['SessionDeletion'];

/** Answer of `GET /health`. */
export type Health = components['schemas']['Health'];

/** Answer of `GET /readyz`. */
export type Readiness = components['schemas']['Readiness'];

/** Answer of `GET /version`. */
export type Version = components['schemas']['Version'];

/** Answer of `GET /openapi.json`: OpenAPI 3.1. */
export type OpenApiDocument = components['schemas']['OpenApiDocument'];

/** `stable`: the agent waits for input. `running`: it works, or has not started yet. */
export type AgentStatus = components['schemas']['AgentStatus'];

/** Answer of `GET /:id/status`. */
export interface AgentStatusReport extends Pick<StatusBody, 'status'> {
  // Older agentapi programs do not tell these two.
  readonly agent_type?: StatusBody['agent_type'] | undefined;
  readonly transport?: StatusBody['transport'] | undefined;
}
type StatusBody = components['schemas']['StatusResponseBody'];

/** One message of the conversation (PX-214). */
export type Message = components['schemas']['Message'];

/** Where an uploaded file lies on the agent's machine. */
export type UploadedFile = Pick<components['schemas']['UploadResponseBody'], 'filePath'>;

const stateSchema = z.enum(SESSION_STATES);
const tagsSchema = z.pipe(
  z.nullish(z.record(z.string(), z.string())),
  // Servers of the first generation answer `null` for "no tags".
  z.transform((tags): Readonly<Record<string, string>> => tags ?? {}),
);

const summaryShape = {
  session_id: z.string(),
  user_id: z.string(),
  status: z.enum(['active', 'stopped', 'failed']),
  state: stateSchema,
  agent: z.string(),
  port: z.int(),
  started_at: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  tags: tagsSchema,
  access: z.optional(z.enum(['own', 'write', 'read'])),
  workspace_name: z.optional(z.string()),
  profile_id: z.optional(z.string()),
};

/** Body of `POST /start`'s answer. */
export const startReplySchema: z.ZodMiniType<components['schemas']['StartReply']> = z.looseObject({
  session_id: z.string().check(z.minLength(1)),
});

/** Body of `GET /search`. */
export const searchPageSchema: z.ZodMiniType<SearchPage> = z.looseObject({
  sessions: z.array(z.looseObject(summaryShape)),
  next_cursor: z.optional(z.string()),
});

/** Body of `GET /sessions/:id`. */
export const sessionDetailsSchema: z.ZodMiniType<SessionDetails> = z.looseObject({
  ...summaryShape,
  agent_type: z.string(),
  agent_server: z.enum(['embedded', 'external']),
  environment_names: z.array(z.string()),
  reason: z.optional(z.string()),
  exit_code: z.nullable(z.int()),
  exit_signal: z.nullable(z.string()),
  last_output: z.array(z.string()),
  initial_message: z.optional(
    z.looseObject({
      state: z.enum(['pending', 'delivered', 'failed']),
      reason: z.optional(z.string()),
      at: z.optional(z.string()),
    }),
  ),
  failure: z.optional(z.looseObject({ code: z.string(), kind: z.string() })),
  progress: z.optional(z.looseObject({ step: z.string(), percent: z.nullable(z.int()), detail: z.string() })),
  history: z.array(z.looseObject({ state: stateSchema, at: z.string(), reason: z.optional(z.string()) })),
});

/** Body of `DELETE /sessions/:id`. */
export const deleteResultSchema: z.ZodMiniType<DeleteResult> = z.looseObject({
  message: z.string(),
  session_id: z.string(),
  status: z.enum(['terminated', 'terminating']),
});

/** Body of `GET /health`. */
export const healthSchema: z.ZodMiniType<Health> = z.looseObject({ status: z.literal('ok') });

/** Body of `GET /readyz`. */
export const readinessSchema: z.ZodMiniType<Readiness> = z.looseObject({
  status: z.enum(['ready', 'starting', 'shutting_down']),
  journal: z.optional(z.literal('behind')),
});

/** Body of `GET /version`. */
export const versionSchema: z.ZodMiniType<Version> = z.looseObject({
  name: z.literal('agentapi-proxy'),
  version: z.string(),
  node: z.string(),
  agent_server: z.enum(['embedded', 'external']),
  default_agent: z.string(),
  started_at: z.string(),
});

/** Body of `GET /openapi.json`. */
export const openApiDocumentSchema: z.ZodMiniType<OpenApiDocument> = z.looseObject({ openapi: z.string() });

const agentStatusSchema = z.enum(['stable', 'running']);
const roleSchema = z.enum(['agent', 'user']);

/** Body of `GET /:id/status`. */
export const agentStatusReportSchema: z.ZodMiniType<AgentStatusReport> = z.looseObject({
  status: agentStatusSchema,
  agent_type: z.optional(z.string()),
  transport: z.optional(z.enum(['pty', 'acp'])),
});

/** Body of `GET /:id/messages`. */
export const messagesReplySchema: z.ZodMiniType<{ readonly messages: readonly Message[] }> = z.looseObject({
  messages: z.array(z.looseObject({ id: z.int(), role: roleSchema, content: z.string(), time: z.string() })),
});

/** Body of `POST /:id/message`'s answer. */
export const messageReplySchema = z.looseObject({ ok: z.literal(true) });

/** Body of `POST /:id/upload`'s answer. */
export const uploadedFileSchema: z.ZodMiniType<UploadedFile> = z.looseObject({ filePath: z.string() });

/** Data of the event `message_update`; what `GET /messages` calls `content` is `message` here. */
export const messageUpdateSchema = z.object({
  id: z.int(),
  role: roleSchema,
  message: z.string(),
  time: z.string(),
});

/** Data of the event `status_change`. */
export const statusChangeSchema = z.object({
  status: agentStatusSchema,
  agent_type: z.optional(z.string()),
});

/** Data of the event `agent_error`. */
export const agentErrorSchema = z.object({
  message: z.string(),
  level: z.enum(['warning', 'error']),
  time: z.string(),
});

/** Members of an error body: the proxy's own shape, or an agent server's problem document. */
export const errorBodySchema = z.looseObject({
  message: z.optional(z.string()),
  code: z.optional(z.string()),
  request_id: z.optional(z.string()),
  detail: z.optional(z.string()),
  title: z.optional(z.string()),
  errors: z.optional(z.array(z.looseObject({ message: z.optional(z.string()) }))),
});

/** What sessions can run: answer of `GET /start/agents`. */
export type AgentList = components['schemas']['Agents'];

/** Scripts that agent servers can be started by: answer of `GET /start/scripts`. */
export type ScriptList = components['schemas']['Scripts'];

/** Body of `GET /start/agents`. */
export const agentListSchema: z.ZodMiniType<AgentList> = z.looseObject({
  default_agent: z.string(),
  agents: z.array(
    z.looseObject({
      name: z.string(),
      type: z.string(),
      transport: z.enum(['pty', 'acp']),
      installed: z.boolean(),
    }),
  ),
});

/** Body of `GET /start/scripts`. */
export const scriptListSchema: z.ZodMiniType<ScriptList> = z.looseObject({
  default_script: z.string(),
  scripts: z.array(z.string()),
});
