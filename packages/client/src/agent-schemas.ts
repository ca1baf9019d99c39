// See schemas.ts for the ways of these schemas.
import * as z from 'zod/mini';

/** A question that an agent shows in its terminal and that wants keys, not text. */
export interface AgentDialog {
  /** Of this question; another one has another id. */
  readonly id: string;
  /** As the terminal shows it. */
  readonly text: string;
  /** Empty where the choices stand in one row; such dialogs are answered by keys only. */
  readonly choices: readonly DialogChoice[];
}

/** An answer that a dialog offers. */
export interface DialogChoice {
  readonly label: string;
  /** What takes it, sent one after another by `sendRaw`. */
  readonly keys: readonly string[];
}

/** Something that an agent did or does, as the Agent Client Protocol tells it. */
export interface ToolCall {
  readonly id: string;
  readonly title: string;
  /** `read`, `edit`, `execute` and others. */
  readonly kind: string;
  /** `pending`, `in_progress`, `completed`, `failed`. */
  readonly status: string;
  readonly locations: readonly { readonly path: string; readonly line?: number | null | undefined }[];
  /** What it shows, in the protocol's spelling. */
  readonly content: readonly unknown[];
  readonly raw_input?: unknown;
  readonly raw_output?: unknown;
  readonly started_at: string;
  readonly updated_at: string;
}

/** A question of an agent that speaks the Agent Client Protocol. */
export interface PermissionRequest {
  readonly id: string;
  readonly tool_call: ToolCall;
  readonly options: readonly PermissionOption[];
  readonly requested_at: string;
  /** It is answered `cancelled` then. */
  readonly expires_at: string;
}

/** An answer that a permission request offers. */
export interface PermissionOption {
  readonly option_id: string;
  readonly name: string;
  /** `allow_once`, `allow_always`, `reject_once`, `reject_always`. */
  readonly kind: string;
}

/** A step of an agent's plan. */
export interface PlanEntry {
  readonly content: string;
  /** `pending`, `in_progress`, `completed`. */
  readonly status: string;
}

/** What an agent that speaks the Agent Client Protocol reports beyond text. */
export type AcpEvent =
  | { readonly kind: 'tool_call'; readonly toolCall: ToolCall }
  | { readonly kind: 'permission_request'; readonly request: PermissionRequest }
  | { readonly kind: 'permission_resolved'; readonly id: string }
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  | { readonly kind: 'turn_started' }
  | { readonly kind: 'turn_ended'; readonly stopReason: string };

/**
 * The screen of an agent, for whoever emulates a terminal: `repaint` wants the emulator to take this size, reset itself
 * and write the data; `output` is what the agent has printed since.
 */
export type TerminalEvent =
  | { readonly kind: 'repaint'; readonly columns: number; readonly rows: number; readonly data: string }
  | { readonly kind: 'output'; readonly data: string };

/** Body of `GET /:id/internal/dialog`. */
export const dialogReplySchema: z.ZodMiniType<{ readonly dialog: AgentDialog | null }> = z.looseObject({
  dialog: z.nullable(
    z.looseObject({
      id: z.string(),
      text: z.string(),
      choices: z.array(z.looseObject({ label: z.string(), keys: z.array(z.string()) })),
    }),
  ),
});

const toolCallSchema: z.ZodMiniType<ToolCall> = z.looseObject({
  id: z.string(),
  title: z.string(),
  kind: z.string(),
  status: z.string(),
  locations: z.array(z.looseObject({ path: z.string(), line: z.nullish(z.number()) })),
  content: z.array(z.unknown()),
  raw_input: z.optional(z.unknown()),
  raw_output: z.optional(z.unknown()),
  started_at: z.string(),
  updated_at: z.string(),
});

const permissionSchema: z.ZodMiniType<PermissionRequest> = z.looseObject({
  id: z.string(),
  tool_call: toolCallSchema,
  options: z.array(z.looseObject({ option_id: z.string(), name: z.string(), kind: z.string() })),
  requested_at: z.string(),
  expires_at: z.string(),
});

/** Body of `POST /:id/acp/cancel`. */
export const cancelReplySchema: z.ZodMiniType<{ readonly cancelled: boolean }> = z.looseObject({
  cancelled: z.boolean(),
});

/** Body of answers that say no more than that it is done. */
export const okReplySchema = z.looseObject({ ok: z.literal(true) });

const repaintSchema = z.looseObject({ columns: z.int(), rows: z.int(), data: z.string() });
const outputSchema = z.looseObject({ data: z.string() });

/** Data of the events of `GET /:id/internal/screen`. */
export const screenSchema: z.ZodMiniType<{ readonly screen: string }> = z.looseObject({ screen: z.string() });

/** An event of `GET /:id/internal/terminal`; `undefined` for what this version does not know. */
export function parseTerminalEvent(name: string, data: unknown): TerminalEvent | undefined {
  if (name === 'repaint') {
    const { data: repaint } = repaintSchema.safeParse(data);
    return repaint && { kind: 'repaint', ...repaint };
  }
  if (name !== 'output') return undefined;
  const { data: output } = outputSchema.safeParse(data);
  return output && { kind: 'output', data: output.data };
}

const resolvedSchema = z.looseObject({ id: z.string() });
const planSchema = z.looseObject({
  entries: z.array(z.looseObject({ content: z.string(), status: z.string() })),
});
const turnEndSchema = z.looseObject({ stop_reason: z.string() });

/** An event of `GET /:id/acp/events`; `undefined` for what this version does not know, or is not what it should be. */
export function parseAcpEvent(name: string, data: unknown): AcpEvent | undefined {
  switch (name) {
    case 'tool_call': {
      const { data: toolCall } = toolCallSchema.safeParse(data);
      return toolCall && { kind: 'tool_call', toolCall };
    }
    case 'permission_request': {
      const { data: request } = permissionSchema.safeParse(data);
      return request && { kind: 'permission_request', request };
    }
    case 'permission_resolved': {
      const { data: resolved } = resolvedSchema.safeParse(data);
      return resolved && { kind: 'permission_resolved', id: resolved.id };
    }
    case 'plan': {
      const { data: plan } = planSchema.safeParse(data);
      return plan && { kind: 'plan', entries: plan.entries };
    }
    case 'turn_started':
      return { kind: 'turn_started' };
    case 'turn_ended': {
      const { data: end } = turnEndSchema.safeParse(data);
      return end && { kind: 'turn_ended', stopReason: end.stop_reason };
    }
    default:
      return undefined;
  }
}
