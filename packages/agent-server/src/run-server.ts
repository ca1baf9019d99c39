import type { AgentExit } from './acp/acp-model.ts';
import type { ServerOptions } from './cli-options.ts';
import type { ControlReport } from './control.ts';
import { noteConversation } from './debug-notes.ts';
import type { ControlChannel } from './control-channel.ts';
import { limitHeap } from './heap-limits.ts';
import { createLog, type Log } from './log.ts';
import { ProcessSignals } from './process-signals.ts';
import type { ReportFeed } from './report-feed.ts';
import { AgentServer, type AgentConversation, type AgentServerOptions } from './server.ts';

/** What a server takes from the process that it runs in. */
export interface ProcessContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  readonly stdin: NodeJS.ReadStream;
  /** The terminal of `attach`; everything else goes through the functions below. */
  readonly stdout: NodeJS.WriteStream;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** The context of a real process. A reader of its output that leaves, e.g. `| head`, does not end the agent. */
export function contextOf(process: NodeJS.Process): ProcessContext {
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
  return {
    environment: process.env,
    cwd: process.cwd(),
    pid: process.pid,
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    writeOut: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
  };
}

/** Where the server gets its address from, and who is told what happens. */
export interface Supervision {
  /** Binds the address; may wait for it. */
  listen(options: Omit<AgentServerOptions, 'token'>): Promise<AgentServer>;
  report(report: ControlReport): void;
  /** How the agent is asked to end. */
  readonly stopSignal: NodeJS.Signals;
  /** What the agent finds in its environment besides. */
  readonly agentEnvironment: Readonly<Record<string, string>>;
  /** Ends what the agent has left behind; called when the agent has ended. Never rejects. */
  endLeftovers(log: Log): Promise<void>;
}

/** Rows that a report of the agent's end may have. */
const REPORTED_LINES = 40;
const RULE = '='.repeat(80);

/**
 * Runs a server around its agent until the agent ends or a signal comes (agentapi section 1.5).
 * @returns the exit code: 1 when the agent failed, else 0.
 * @throws {Error} when the server or the agent cannot be started; nothing is left running then.
 */
export async function runServer(
  settings: ServerOptions,
  context: ProcessContext,
  supervision: Supervision,
): Promise<number> {
  const log = createLog(context.writeOut, settings.debug);
  let agent: AgentConversation | undefined;
  const save = async () => {
    try {
      await agent?.saveState?.();
    } catch (error) {
      log.error('The state could not be saved', { reason: reasonOf(error) });
    }
  };
  // From here on a signal ends what has been started, in order.
  const signals = new ProcessSignals(() => void save());
  let server: AgentServer | undefined;
  let endNotes: () => void = () => {};
  try {
    const environment = { ...definedOnly(context.environment), ...supervision.agentEnvironment };
    const listening = supervision.listen({ settings, environment, cwd: context.cwd, log });
    const bound = await Promise.race([listening, signals.termination]);
    if (typeof bound === 'string') {
      listening.then(
        (late) => late.close(supervision.stopSignal),
        () => {},
      );
      return 0;
    }
    server = bound;
    const { command, args, columns, rows } = settings;
    log.debug('Starting the agent', { command, arguments: args.length, columns, rows });
    const started = await Promise.race([server.startAgent(), signals.termination]);
    if (typeof started === 'string') return 0;
    agent = started;
    if (settings.debug) endNotes = noteConversation(agent, log);
    limitHeap();
    log.info('Server started', { port: server.port, agentType: agent.agentType, transport: agent.transport });
    agent.firstReady.then(
      () => supervision.report({ kind: 'agent-ready' }),
      () => {},
    );
    const end = await Promise.race([agent.exited, signals.termination]);
    if (typeof end === 'string') {
      log.info('Shutting down', { signal: end });
      return 0;
    }
    log.info('The agent has ended', { code: end.code, signal: end.signal });
    const lastOutput = [...agent.lastScreenLines(REPORTED_LINES)];
    supervision.report({ kind: 'agent-exited', code: end.code, signal: end.signal, lastOutput });
    if (end.code === 0) return 0;
    context.writeError(await failureText(agent, end));
    return 1;
  } finally {
    endNotes();
    await server?.close(supervision.stopSignal);
    await supervision.endLeftovers(log);
    signals.release();
  }
}

async function failureText(agent: AgentConversation, end: AgentExit): Promise<string> {
  const { textOfExit } = await import('./acp/acp-model.ts');
  if (agent.transport === 'acp') return `agent exited with error: ${textOfExit(end)}\n`;
  const how = end.signal === null ? 'non-zero exit code' : `ended by ${end.signal}`;
  const rows = agent.screen().split('\n');
  const shown = rows
    .map((row) => row.trimEnd())
    .join('\n')
    .replace(/^\n+|\n+$/gu, '');
  return `agent exited with error:\n${RULE}\n${shown}\n${RULE}\n${how}\n`;
}

/** Waits for a supervisor to say where to serve, and tells it, and whoever takes its place, what happens. */
export function superviseBy(channel: ControlChannel, feed: ReportFeed): Supervision {
  return {
    stopSignal: 'SIGTERM',
    // The supervisor has marked this process and all that come from it, and ends them.
    agentEnvironment: {},
    endLeftovers: () => Promise.resolve(),
    report: (report) => feed.report(report),
    listen: async (options) => {
      const supervisorRoute = (path: string) => feed.routeOf(path);
      for (;;) {
        const { port, token } = await channel.nextServe();
        try {
          const server = await AgentServer.listen('127.0.0.1', port, { ...options, token, supervisorRoute });
          channel.report({ kind: 'listening', port: server.port });
          return server;
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
          channel.report({ kind: 'port-taken', port });
        }
      }
    },
  };
}

function definedOnly(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The message of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
