import { z } from 'zod';
import { SESSION_STATES } from '../sessions/session.ts';
import type { SessionExit, StateChange } from '../sessions/session.ts';
import { checkColumn, parseColumn, textList, textMap, timeOf } from './columns.ts';
import type { SecretBox } from './secret-box.ts';
import type {
  MessageState,
  SessionRecord,
  SessionSecrets,
  SessionSummary,
  StoredRun,
} from './session-record.ts';
import type { SessionRow } from './tables.ts';

const stateSchema = z.enum(SESSION_STATES);
const agentServerSchema = z.enum(['embedded', 'external']);
const messageStateSchema = z.enum(['pending', 'sending', 'delivered', 'failed']);
const exitSchema = z.object({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  lastOutput: textList,
  failure: z.exactOptional(z.object({ code: z.string(), kind: z.string() })),
});
const startSchema = z.object({
  environment: textMap,
  agent: z.object({
    command: z.string(),
    args: textList,
    env: textMap,
    transport: z.exactOptional(z.enum(['pty', 'acp'])),
  }),
  agentArgs: textList,
  systemPrompt: z.string().nullable(),
  workspaceFiles: z.exactOptional(z.array(z.object({ path: z.string(), content: z.string() }))),
  script: z.exactOptional(z.string().nullable()),
  repository: z.exactOptional(
    z
      .object({
        repository: z.object({ owner: z.string(), name: z.string() }),
        branch: z.string().nullable(),
        ref: z.string().nullable(),
        createBranch: z.boolean(),
        depth: z.int().nullable(),
      })
      .nullable(),
  ),
  githubToken: z.exactOptional(z.string().nullable()),
});

type SummaryRow = Pick<
  SessionRow,
  | 'id'
  | 'instance_id'
  | 'owner_id'
  | 'agent'
  | 'agent_type'
  | 'agent_server'
  | 'tags'
  | 'environment_names'
  | 'workspace_name'
  | 'profile_id'
  | 'created_at'
  | 'updated_at'
  | 'state'
  | 'reason'
  | 'port'
>;

/** @throws StoreError `corrupt` */
export function readSummary(row: SummaryRow): SessionSummary {
  const name = (column: string): string => `sessions.${column} of ${row.id}`;
  return {
    facts: {
      id: row.id,
      ownerId: row.owner_id,
      agent: row.agent,
      agentType: row.agent_type,
      agentServer: checkColumn(agentServerSchema, row.agent_server, name('agent_server')),
      tags: parseColumn(textMap, row.tags, name('tags')),
      environmentNames: parseColumn(textList, row.environment_names, name('environment_names')),
      ...(row.workspace_name === null ? {} : { workspaceName: row.workspace_name }),
      ...(row.profile_id === null ? {} : { profileId: row.profile_id }),
      createdAt: timeOf(row.created_at),
    },
    instanceId: row.instance_id,
    state: checkColumn(stateSchema, row.state, name('state')),
    reason: row.reason,
    updatedAt: timeOf(row.updated_at),
    port: row.port,
  };
}

/** @throws StoreError `corrupt` */
export function readRecord(
  row: SessionRow,
  history: readonly { readonly state: string; readonly at: Date; readonly reason: string | null }[],
  exit: SessionExit | null,
): SessionRecord {
  return {
    ...readSummary(row),
    history: history.map(({ state, at, reason }): StateChange => {
      const known = checkColumn(stateSchema, state, `session_states.state of ${row.id}`);
      return reason === null ? { state: known, at } : { state: known, at, reason };
    }),
    exit,
    message: readMessage(row),
    run: readRun(row),
  };
}

/** @throws StoreError `key` or `corrupt` */
export async function readExit(
  box: SecretBox,
  row: Pick<SessionRow, 'id' | 'exit_sealed'>,
): Promise<SessionExit | null> {
  if (row.exit_sealed === null) return null;
  const text = await box.open(row.exit_sealed, { table: 'sessions', id: row.id, field: 'exit' });
  return parseColumn(exitSchema, text, `sessions.exit of ${row.id}`);
}

/** @throws StoreError `key` or `corrupt` */
export async function readSecrets(
  box: SecretBox,
  row: Pick<SessionRow, 'id' | 'start_sealed' | 'message_sealed' | 'token_sealed'>,
): Promise<SessionSecrets> {
  const open = async (field: string, envelope: string): Promise<string> =>
    box.open(envelope, { table: 'sessions', id: row.id, field });
  const start = parseColumn(
    startSchema,
    await open('start', row.start_sealed),
    `sessions.start of ${row.id}`,
  );
  return {
    ...start,
    message: row.message_sealed === null ? null : await open('message', row.message_sealed),
    token: row.token_sealed === null ? null : await open('token', row.token_sealed),
  };
}

function readMessage(row: SessionRow): MessageState | null {
  if (row.message_state === null) return null;
  const state = checkColumn(messageStateSchema, row.message_state, `sessions.message_state of ${row.id}`);
  const at = timeOf(row.message_at ?? row.created_at);
  switch (state) {
    case 'pending':
      return { state };
    case 'sending':
    case 'delivered':
      return { state, at };
    case 'failed':
      return { state, at, reason: row.message_reason ?? '' };
  }
}

function readRun(row: SessionRow): StoredRun | null {
  const { pid, start_time: startTime, boot_id: bootId, port } = row;
  return pid === null || startTime === null || bootId === null ? null : { pid, startTime, bootId, port };
}
