// `zod/mini`: 8 kB compressed in a browser instead of 26 kB, and it never probes for `eval`, which a strict
// content security policy would report.
import * as z from 'zod/mini';

/*
 * Wire objects keep their wire names. They are loose: members that a newer server adds are passed on.
 */

/** States of a session; `failed` is reached from the first three only. */
export const SESSION_STATES = ['creating', 'starting', 'running', 'stopping', 'stopped', 'failed'] as const;
/** State of a session, finer than the `status` word. */
export type SessionState = (typeof SESSION_STATES)[number];

/** One row of a search. */
export interface SessionSummary {
  readonly session_id: string;
  /** Owner. */
  readonly user_id: string;
  /** Coarse word for older clients: `active` from creation to the end. Prefer `state`. */
  readonly status: string;
  readonly state: SessionState;
  /** Name of the agent, as in the server's configuration. */
  readonly agent: string;
  /** Loopback port of the session's agent server; `null` while it has none. */
  readonly port: number | null;
  /** RFC 3339, like all times here. */
  readonly started_at: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly title?: string | undefined;
}

/** One page of a search, newest session first. */
export interface SearchPage {
  readonly sessions: readonly SessionSummary[];
  /** Pass it as `cursor` for the next page; absent on the last one. */
  readonly next_cursor?: string | null | undefined;
}

/** One entry of a session's history. */
export interface StateChange {
  readonly state: SessionState;
  readonly at: string;
  /** Why; absent for the ordinary way forward. */
  readonly reason?: string | undefined;
}

/** What became of the message given at the start. */
export interface InitialMessage {
  readonly state: 'pending' | 'delivered' | 'failed';
  /** Why it failed. */
  readonly reason?: string | undefined;
  /** When it was delivered. */
  readonly at?: string | undefined;
}

/** Everything the server tells about one session. */
export interface SessionDetails extends Omit<SessionSummary, 'title'> {
  readonly agent_type: string;
  /** `embedded` comes with the proxy, `external` is the `agentapi` program. */
  readonly agent_server: 'embedded' | 'external';
  /** Names of the variables given at the start; values are never shown. */
  readonly environment_names: readonly string[];
  /** Why the session failed or stopped. */
  readonly reason?: string | undefined;
  /** Exit code of the agent; `null` when a signal ended it. */
  readonly exit_code?: number | null | undefined;
  readonly exit_signal?: string | null | undefined;
  /** Last lines of output of a session that failed, oldest first. */
  readonly last_output?: readonly string[] | undefined;
  readonly initial_message?: InitialMessage | undefined;
  readonly history: readonly StateChange[];
}

/** Answer to a deletion. */
export interface DeleteResult {
  readonly message: string;
  readonly session_id: string;
  readonly status: string;
}

/** Answer of `GET /health`. */
export interface Health {
  readonly status: string;
  readonly [member: string]: unknown;
}

/** Answer of `GET /version`. */
export interface Version {
  readonly version: string;
  readonly [member: string]: unknown;
}

/** `stable`: the agent waits for input. `running`: it works, or has not started yet. */
export type AgentStatus = 'stable' | 'running';

/** Answer of `GET /:id/status`. */
export interface AgentStatusReport {
  readonly status: AgentStatus;
  readonly agent_type?: string | undefined;
  /** How the agent server drives the agent: `pty` or `acp`. */
  readonly transport?: string | undefined;
}

/** One message of the conversation (PX-214). */
export interface Message {
  /** Position in the conversation, from 0. */
  readonly id: number;
  readonly role: 'agent' | 'user';
  readonly content: string;
  /** RFC 3339 with any offset. */
  readonly time: string;
}

/** Where an uploaded file lies on the agent's machine. */
export interface UploadedFile {
  /** Absolute path; name it in a message so that the agent reads the file. */
  readonly filePath: string;
}

const stateSchema = z.enum(SESSION_STATES);
const tagsSchema = z.pipe(
  z.nullish(z.record(z.string(), z.string())),
  // Servers of the first generation answer `null` for "no tags".
  z.transform((tags): Readonly<Record<string, string>> => tags ?? {}),
);

const summaryShape = {
  session_id: z.string(),
  user_id: z.string(),
  status: z.string(),
  state: stateSchema,
  agent: z.string(),
  port: z.nullable(z.int()),
  started_at: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  tags: tagsSchema,
};

/** Body of `POST /start`'s answer. */
export const startReplySchema = z.looseObject({ session_id: z.string().check(z.minLength(1)) });

/** Body of `GET /search`. */
export const searchPageSchema: z.ZodMiniType<SearchPage> = z.looseObject({
  sessions: z.array(z.looseObject({ ...summaryShape, title: z.optional(z.string()) })),
  next_cursor: z.nullish(z.string()),
});

/** Body of `GET /sessions/:id`. */
export const sessionDetailsSchema: z.ZodMiniType<SessionDetails> = z.looseObject({
  ...summaryShape,
  agent_type: z.string(),
  agent_server: z.enum(['embedded', 'external']),
  environment_names: z.array(z.string()),
  reason: z.optional(z.string()),
  exit_code: z.nullish(z.int()),
  exit_signal: z.nullish(z.string()),
  last_output: z.optional(z.array(z.string())),
  initial_message: z.optional(
    z.looseObject({
      state: z.enum(['pending', 'delivered', 'failed']),
      reason: z.optional(z.string()),
      at: z.optional(z.string()),
    }),
  ),
  history: z.array(z.looseObject({ state: stateSchema, at: z.string(), reason: z.optional(z.string()) })),
});

/** Body of `DELETE /sessions/:id`. */
export const deleteResultSchema: z.ZodMiniType<DeleteResult> = z.looseObject({
  message: z.string(),
  session_id: z.string(),
  status: z.string(),
});

/** Body of `GET /health`. */
export const healthSchema: z.ZodMiniType<Health> = z.looseObject({ status: z.string() });

/** Body of `GET /version`. */
export const versionSchema: z.ZodMiniType<Version> = z.looseObject({ version: z.string() });

const agentStatusSchema = z.enum(['stable', 'running']);
const roleSchema = z.enum(['agent', 'user']);

/** Body of `GET /:id/status`. */
export const agentStatusReportSchema: z.ZodMiniType<AgentStatusReport> = z.looseObject({
  status: agentStatusSchema,
  agent_type: z.optional(z.string()),
  transport: z.optional(z.string()),
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
