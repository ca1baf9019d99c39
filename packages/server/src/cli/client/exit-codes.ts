import {
  ApiError,
  ClientError,
  ConnectionError,
  InvalidArgumentError,
  SessionEndedError,
  TimeoutError,
} from '@agentapi-proxy/client';
import { EXIT } from '../cli-context.ts';

/** Exit codes of the client commands; they are part of the interface (docs/cli.md). */
export const CLIENT_EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  unreachable: 5,
  notNow: 6,
  tookTooLong: 7,
  /** As a shell reports SIGINT, SIGPIPE and SIGTERM. */
  interrupted: 130,
  outputClosed: EXIT.outputClosed,
  terminated: 143,
} as const;

/** The table of the exit codes for `--help`. */
export const EXIT_CODE_HELP = `
Exit codes:
  0  done                          4  not allowed: no key, a wrong one, or not yours
  1  failed                        5  the server cannot be reached
  2  wrong command line or file    6  not now: the agent is busy, or a limit is reached
  3  there is no such thing        7  took longer than --timeout
  130, 143, 141: ended by Ctrl+C, SIGTERM, or the reader of the output`;

/** What was typed, or a file that it names, cannot be right; nothing was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure with a text for people and an exit code of its own. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What a failed command says and exits with. */
export interface Failure {
  readonly exitCode: number;
  /** The first line is the failure; the others are what can be done. */
  readonly lines: readonly string[];
}

/**
 * The failure that an error of a client command means; `null` for errors that are defects of this program. The words
 * `HTTP error <status>` are those of the reference (PX-012).
 */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof CommandFailure) return failure(error.exitCode, `Error: ${error.message}`);
  if (error instanceof UsageError || error instanceof InvalidArgumentError) {
    return failure(CLIENT_EXIT.usage, `Error: ${error.message}`);
  }
  if (error instanceof ApiError) return apiFailure(error);
  if (error instanceof ConnectionError) {
    return failure(
      CLIENT_EXIT.unreachable,
      `Error: ${error.message}`,
      'Is the server running, and is --endpoint right?',
    );
  }
  if (error instanceof TimeoutError) return failure(CLIENT_EXIT.tookTooLong, `Error: ${error.message}`);
  if (error instanceof SessionEndedError) {
    return failure(CLIENT_EXIT.failed, `Error: ${error.message}`, ...(error.session?.last_output ?? []));
  }
  if (error instanceof ClientError) return failure(CLIENT_EXIT.failed, `Error: ${error.message}`);
  return null;
}

function apiFailure(error: ApiError): Failure {
  const first = `HTTP error ${error.status}: ${error.message}`;
  switch (error.kind) {
    case 'unauthorized':
      return failure(
        CLIENT_EXIT.notAllowed,
        first,
        'Give a key with AGENTAPI_PROXY_API_KEY, --api-key-file or a context.',
      );
    case 'forbidden':
      return failure(CLIENT_EXIT.notAllowed, first);
    case 'not_found':
      return failure(CLIENT_EXIT.notFound, first);
    case 'agent_busy':
      return failure(
        CLIENT_EXIT.notNow,
        first,
        'The agent works or waits for something else; send --wait sends when it is ready.',
      );
    case 'conflict':
    case 'rate_limited':
    case 'unavailable':
      return failure(CLIENT_EXIT.notNow, first, ...retryLine(error));
    case 'invalid_request':
    case 'redirect':
      return failure(CLIENT_EXIT.failed, first);
    case 'server_error':
      return failure(CLIENT_EXIT.failed, first, ...requestLine(error));
  }
}

function failure(exitCode: number, ...lines: readonly string[]): Failure {
  return { exitCode, lines };
}

function retryLine({ retryAfterMs }: ApiError): readonly string[] {
  return retryAfterMs === undefined ? [] : [`Try again in ${Math.ceil(retryAfterMs / 1000)} s.`];
}

function requestLine({ requestId }: ApiError): readonly string[] {
  return requestId === undefined ? [] : [`The server's log has more, under request ${requestId}.`];
}
