import { attach, AttachError } from '@agentapi-proxy/agent-server/attach';
import type { CliContext } from '../cli-context.ts';
import { connect, sessionOf } from './connection.ts';
import { CLIENT_EXIT, CommandFailure, UsageError } from './exit-codes.ts';
import { runClient } from './run-client.ts';
import type { ClientFlags } from './run-client.ts';

export interface AttachFlags extends ClientFlags {
  /** Such as `ctrl-]`. */
  readonly detachKey: string;
}

/** What the key of a letter or sign gives together with Ctrl. */
const CONTROL_BITS = 0x1f;

/** `client attach`: the agent's terminal in the user's, until the detach key. */
export async function attachToSession(
  id: string | undefined,
  flags: AttachFlags,
  context: CliContext,
): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const detachKey = controlCharacter(flags.detachKey);
    const { stdin, stdout } = desk.streams;
    if (!stdin.isTTY || !stdout.isTTY) {
      throw new UsageError('attach needs a terminal; use history, events and send in scripts');
    }
    const connection = await connect(run);
    const session = await sessionOf(connection, signal, id);
    // Asks what attaching would ask too, but tells a wrong key from a wrong id.
    const { transport } = await session.status({ signal });
    if (transport === 'acp') {
      throw new CommandFailure(
        CLIENT_EXIT.failed,
        'the agent of this session has no terminal (it speaks ACP); use send --wait and events',
      );
    }
    desk.note(`Attached to ${session.id}; ${flags.detachKey} detaches`);
    try {
      await attach({
        url: `${connection.endpoint}/${encodeURIComponent(session.id)}`,
        input: stdin,
        output: stdout,
        detachKey,
        signal,
        ...(connection.apiKey === undefined ? {} : { token: connection.apiKey }),
      });
    } catch (error) {
      if (!(error instanceof AttachError)) throw error;
      if (error.status === 404) {
        throw new CommandFailure(
          CLIENT_EXIT.failed,
          "the session's agent server shows no terminal; use send --wait and events",
        );
      }
      const notAllowed = error.status === 401 || error.status === 403;
      throw new CommandFailure(notAllowed ? CLIENT_EXIT.notAllowed : CLIENT_EXIT.failed, error.message);
    }
    signal.throwIfAborted();
    desk.note(`Detached from ${session.id}; the session goes on`);
  });
}

function controlCharacter(name: string): string {
  const [, key] = /^ctrl-([a-z@[\\\]^_])$/i.exec(name) ?? [];
  if (key === undefined) {
    throw new UsageError(`--detach-key must be ctrl- and a letter or one of @ [ \\ ] ^ _; got ${name}`);
  }
  return String.fromCharCode(key.toUpperCase().charCodeAt(0) & CONTROL_BITS);
}
