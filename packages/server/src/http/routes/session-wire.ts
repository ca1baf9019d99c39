import { z } from 'zod';
import { ACCESS_LEVELS } from '../../auth/session-access.ts';
import type { AccessLevel } from '../../auth/session-access.ts';
import type { SessionOverview, SessionView } from '../../sessions/session.ts';
import { SESSION_STATES } from '../../sessions/session.ts';
import { wireStatus } from '../../sessions/wire-status.ts';

const time = z.iso.datetime();

/** A row of `GET /search` (proxy-api section 5.2). */
const sessionSummarySchema = z
  .object({
    session_id: z.uuid().meta({ description: 'Id of the session.' }),
    user_id: z.string().meta({ description: 'Owner of the session.' }),
    status: z.enum(['active', 'stopped', 'failed']).meta({
      description: '`active` until the session has ended; `state` says it more exactly.',
    }),
    state: z.enum(SESSION_STATES).meta({
      description:
        'How far the session is: `creating` (recorded), `starting` (its agent server does not answer yet), `running`, `stopping` (its processes are being ended), `stopped`, or `failed` (`reason` says why).',
    }),
    agent: z.string().meta({ description: 'Name of the configured agent.' }),
    port: z.int().meta({ description: 'TCP port of the agent server on 127.0.0.1 of the server.' }),
    started_at: time.meta({ description: 'The same as `created_at`.' }),
    created_at: time.meta({ description: 'When the session was asked for; a resume does not change it.' }),
    updated_at: time.meta({ description: 'Last change of the state, or last use.' }),
    tags: z.record(z.string(), z.string()).meta({ description: 'As given at the start; `{}` = none.' }),
    access: z.enum(ACCESS_LEVELS).meta({
      description:
        'What the caller may do with the session, as far as their permissions go: `own` (everything: its owner, an admin, or anybody while authentication is off), `write` (shared for use: not end or share it) or `read` (shared for looking on, also by a link).',
    }),
    workspace_name: z
      .string()
      .optional()
      .meta({ description: 'Folder of the workspace, when the session has named it by WORKSPACE_NAME.' }),
    profile_id: z.string().optional().meta({
      description: 'The profile that the session was started with, if any; it may be gone meanwhile.',
    }),
  })
  .meta({ id: 'SessionSummary' });

const initialMessageSchema = z.object({
  state: z.enum(['pending', 'delivered', 'failed']).meta({
    description: '`pending`: the agent does not have it yet. `failed`: it will not get it.',
  }),
  at: time.optional().meta({ description: 'When it was delivered, or given up.' }),
  reason: z.string().optional().meta({ description: 'Why it failed, in words.' }),
});

const failureSchema = z.object({
  code: z.string().meta({ description: 'What failed, such as `workspace_clone_failed`.' }),
  kind: z.string().meta({ description: 'How it failed, such as `ref_not_found`.' }),
});

const progressSchema = z.object({
  step: z.string().meta({
    description: 'Such as `connecting`, `waiting`, `fetching`, `copying` or `checkout`.',
  }),
  percent: z.int().nullable().meta({ description: 'Of this step, 0 to 100; `null` = not known.' }),
  detail: z.string().meta({ description: 'In words.' }),
});

const stateChangeSchema = z.object({
  state: z.enum(SESSION_STATES).meta({ description: 'The state that began.' }),
  at: time.meta({ description: 'When.' }),
  reason: z.string().optional().meta({ description: 'Why, in words; absent on the ordinary way.' }),
});

/** Answer of `GET /sessions/:sessionId`. */
export const sessionDetailSchema = sessionSummarySchema
  .extend({
    agent_type: z.string().meta({
      description: 'Type of the agent, such as `claude`; it decides how its terminal is read.',
    }),
    agent_server: z.enum(['embedded', 'external']).meta({
      description: 'The one of this program, or an `agentapi` program.',
    }),
    environment_names: z.array(z.string()).meta({
      description: 'Names of the variables that the request set; their values are never shown.',
    }),
    reason: z.string().optional().meta({
      description: 'Why the session is in its state, in words; absent on the ordinary way.',
    }),
    exit_code: z.int().nullable().meta({
      description: 'Exit code of the agent; `null`: it has not ended, or a signal ended it.',
    }),
    exit_signal: z.string().nullable().meta({
      description: 'Name of the signal that ended the agent, such as `SIGKILL`; `null` = none did.',
    }),
    last_output: z.array(z.string()).meta({
      description:
        'Last lines that were printed before the end, oldest first; empty while the session lives.',
    }),
    initial_message: initialMessageSchema.optional().meta({
      description: 'What became of the message given at the start; absent when there was none.',
    }),
    failure: failureSchema.optional().meta({
      description: 'Why the session failed, for programs; `reason` says it in words.',
    }),
    progress: progressSchema.optional().meta({
      description: 'How far a start is that takes long, such as the clone of a repository.',
    }),
    history: z.array(stateChangeSchema).meta({ description: 'Every state so far, oldest first.' }),
  })
  .meta({ id: 'SessionDetail' });

/** Answer of `GET /search`. */
export const searchPageSchema = z
  .object({
    sessions: z.array(sessionSummarySchema).meta({ description: 'Newest first.' }),
    next_cursor: z
      .string()
      .optional()
      .meta({ description: '`cursor` of the next page; absent on the last.' }),
  })
  .meta({ id: 'SearchPage' });

/** Answer of `DELETE /sessions/:sessionId`. */
export const deletionSchema = z
  .object({
    message: z.string().meta({ description: 'What happened, in words.' }),
    session_id: z.string().meta({ description: 'Id of the session.' }),
    status: z.enum(['terminated', 'terminating']).meta({
      description: '`terminating`: a process cannot be ended yet; delete the session again later.',
    }),
  })
  .meta({ id: 'SessionDeletion' });

/** A session as searches show it. */
export function summaryOf(
  session: SessionOverview,
  access: AccessLevel,
): z.infer<typeof sessionSummarySchema> {
  const createdAt = session.facts.createdAt.toISOString();
  return {
    session_id: session.facts.id,
    user_id: session.facts.ownerId,
    status: wireStatus(session.state),
    state: session.state,
    agent: session.facts.agent,
    port: session.port,
    started_at: createdAt,
    created_at: createdAt,
    updated_at: session.updatedAt.toISOString(),
    tags: session.facts.tags,
    access,
    ...(session.facts.workspaceName === undefined ? {} : { workspace_name: session.facts.workspaceName }),
    ...(session.facts.profileId === undefined ? {} : { profile_id: session.facts.profileId }),
  };
}

/** Everything about a session that those who may see it are told. */
export function detailOf(session: SessionView, access: AccessLevel): z.infer<typeof sessionDetailSchema> {
  const message = session.initialMessage;
  return {
    ...summaryOf(session, access),
    agent_type: session.facts.agentType,
    agent_server: session.facts.agentServer,
    environment_names: [...session.facts.environmentNames],
    ...(session.reason === null ? {} : { reason: session.reason }),
    exit_code: session.exit?.code ?? null,
    exit_signal: session.exit?.signal ?? null,
    last_output: [...(session.exit?.lastOutput ?? [])],
    ...(session.exit?.failure === undefined ? {} : { failure: session.exit.failure }),
    ...(session.progress === null ? {} : { progress: session.progress }),
    ...(message === null
      ? {}
      : {
          initial_message: {
            // Whether it is under way is of no use to anybody yet.
            state: message.state === 'sending' ? 'pending' : message.state,
            ...('at' in message && message.state !== 'sending' ? { at: message.at.toISOString() } : {}),
            ...('reason' in message ? { reason: message.reason } : {}),
          },
        }),
    history: session.history.map(({ state, at, reason }) => ({
      state,
      at: at.toISOString(),
      ...(reason === undefined ? {} : { reason }),
    })),
  };
}
