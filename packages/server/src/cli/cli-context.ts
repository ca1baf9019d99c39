import type { Config } from '../config/schema.ts';
import type { DeclaredRoute } from '../http/control-server.ts';
import type { RootLog } from '../log.ts';

/** What is left of a server after its end. */
export interface Closed {
  /** Processes that should have ended and have not. */
  readonly left: readonly string[];
  /** How many sessions go on, for the next start to take up. */
  readonly kept: number;
}

/** The server as the command line sees it; `app.ts` makes it. */
export interface ServerApp {
  /** Resolves when requests are answered. */
  start(): Promise<{ readonly url: string }>;
  /** Ends every connection, and every session unless `on_shutdown` says otherwise. */
  close(reason: string): Promise<Closed>;
  /** What the server answers and what each of it asks of the caller; empty before the start. */
  routes(): readonly DeclaredRoute[];
  /** Reads again what can change without a restart. */
  reload(): Promise<void>;
}

/** Standard input, output and error. */
export interface ProcessStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What a command needs of the process it runs in. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** The streams of the process itself, for commands that talk to people; not before a command needs them. */
  readonly openStreams: () => ProcessStreams;
  /** Emits `SIGINT`, `SIGTERM` and `SIGHUP`. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Ends the process at once, whatever still runs; the last resort. */
  readonly exitNow: (code: number) => void;
  /** Loads the server; not before a command needs it. */
  readonly loadApp: () => Promise<{
    readonly createApp: (config: Config, log: RootLog) => Promise<ServerApp>;
  }>;
  /** Runs the embedded agent server's own command line; it sets the exit code itself. */
  readonly runAgentServer: (args: readonly string[]) => Promise<void>;
}

/** Exit codes of the commands; `outputClosed` as a shell reports SIGPIPE. */
export const EXIT = { ok: 0, failed: 1, badConfiguration: 2, outputClosed: 141 } as const;
