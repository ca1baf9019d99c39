import type { CliContext } from '../cli-context.ts';
import { isReaderGone, unwrittenAnswer } from '../standard-output.ts';
import { Desk } from './desk.ts';
import { CLIENT_EXIT, CommandFailure, failureOf } from './exit-codes.ts';

/** Options of every client command. */
export interface ClientFlags {
  readonly endpoint?: string;
  /** The server when none is named; without it naming none is an error. */
  readonly defaultEndpoint?: string;
  readonly sessionId?: string;
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
  readonly context?: string;
  readonly json?: boolean;
  /** False with `--no-color`. */
  readonly color?: boolean;
}

/** What a client command works with. */
export interface ClientRun {
  readonly flags: ClientFlags;
  readonly context: CliContext;
  readonly desk: Desk;
  /** Aborted by Ctrl+C, SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
}

/** Why a command ends before it is done. */
class Ended extends Error {
  override readonly name = 'Ended';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`ended with ${exitCode}`);
    this.exitCode = exitCode;
  }
}

const SIGNAL_EXIT_CODES = { SIGINT: CLIENT_EXIT.interrupted, SIGTERM: CLIENT_EXIT.terminated } as const;

/**
 * Runs a client command and answers its exit code. Every expected failure is told on standard error. The first SIGINT
 * or SIGTERM ends the command in order, a second one at once.
 */
export async function runClient(
  flags: ClientFlags,
  context: CliContext,
  work: (run: ClientRun) => Promise<number | void>,
): Promise<number> {
  const streams = context.openStreams();
  const desk = new Desk({
    streams,
    environment: context.environment,
    json: flags.json === true,
    color: flags.color !== false,
  });
  const end = new AbortController();
  // Ends what would go on printing; a failure that is told after the command is the business of bin.ts.
  streams.stdout.on('error', (error: Error) => {
    const failed = new CommandFailure(CLIENT_EXIT.failed, unwrittenAnswer(error));
    end.abort(isReaderGone(error) ? new Ended(CLIENT_EXIT.outputClosed) : failed);
  });
  const listeners = Object.entries(SIGNAL_EXIT_CODES).map(([name, exitCode]) => {
    const listener = (): void => {
      if (end.signal.aborted) context.exitNow(exitCode);
      end.abort(new Ended(exitCode));
    };
    context.signals.on(name, listener);
    return { name, listener };
  });
  try {
    return (await work({ flags, context, desk, signal: end.signal })) ?? CLIENT_EXIT.ok;
  } catch (error) {
    const cause: unknown = end.signal.aborted ? end.signal.reason : error;
    if (cause instanceof Ended) return cause.exitCode;
    const failure = failureOf(cause);
    if (failure === null) throw cause;
    const [first = '', ...more] = failure.lines;
    desk.complain(first, ...more);
    return failure.exitCode;
  } finally {
    for (const { name, listener } of listeners) context.signals.off(name, listener);
  }
}
