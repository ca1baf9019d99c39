import { z } from 'zod';

export { REPORTS_PATH } from './reports-path.ts';
export { TOKEN_HEADER } from './token-header.ts';

/**
 * The private channel between a supervisor (agentapi-proxy) and one agent server: a duplex
 * descriptor, one JSON object a line. It carries what must not stand in an argument list or in an
 * environment (the token), and what only the agent server knows (the bound port, the agent's exit).
 *
 * Order: the supervisor sends `serve`; the agent server answers `listening`, or `port-taken` and
 * waits for another `serve`. Then it reports `agent-ready` once and `agent-exited` at the end.
 */

/** Supervisor → agent server. */
export const serveCommandSchema = z.object({
  kind: z.literal('serve'),
  /** Loopback TCP port to bind; 0 lets the kernel choose. */
  port: z.int().min(0).max(65535),
  /** Every request must carry this in the header `TOKEN_HEADER`. */
  token: z.string().min(16),
});

/** Agent server → supervisor. */
export const controlReportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('port-taken'), port: z.int() }),
  /** The HTTP API answers on 127.0.0.1:port. */
  z.object({ kind: z.literal('listening'), port: z.int() }),
  /** The agent has been ready for input for the first time (status became `stable`). */
  z.object({ kind: z.literal('agent-ready') }),
  /** The agent process ended; exactly one of `code` and `signal` is not null. */
  z.object({
    kind: z.literal('agent-exited'),
    code: z.int().nullable(),
    signal: z.string().nullable(),
    /** Last non-blank screen rows, oldest first; at most 40. */
    lastOutput: z.array(z.string()),
  }),
  /** The agent server cannot do its work and will exit; a text for the session's owner. */
  z.object({ kind: z.literal('failed'), reason: z.string() }),
]);

export type ServeCommand = z.infer<typeof serveCommandSchema>;
export type ControlReport = z.infer<typeof controlReportSchema>;

/**
 * The last that an agent server has to say, in the file of `--exit-report`: for a supervisor that was away when
 * the agent ended. There is no file while the agent runs, nor after an end that was asked for by a signal.
 */
export const exitReportSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('agent-exited'),
    code: z.int().nullable(),
    signal: z.string().nullable(),
    lastOutput: z.array(z.string()),
    /** Whether the agent had been ready for input. */
    wasReady: z.boolean(),
  }),
  z.object({ kind: z.literal('failed'), reason: z.string(), wasReady: z.boolean() }),
]);

export type ExitReport = z.infer<typeof exitReportSchema>;
