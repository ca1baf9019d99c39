import type { AgentEvent, Message, Session } from '@agentapi-proxy/client';
import type { CliContext } from '../cli-context.ts';
import { followAnswer } from './answer.ts';
import { connect, runWithSession, sessionOf, STANDARD_INPUT } from './connection.ts';
import { printable } from './desk.ts';
import { UsageError } from './exit-codes.ts';
import { runClient } from './run-client.ts';
import type { ClientFlags, ClientRun } from './run-client.ts';
import { timeoutOf } from './session-commands.ts';
import type { WaitFlags } from './session-commands.ts';

export interface SendFlags extends WaitFlags {
  /** Waits like `--wait`; with JSON each change of the answer is a line. */
  readonly follow?: boolean;
  /** Keystrokes instead of a message. */
  readonly raw?: boolean;
}

export interface EventsFlags extends ClientFlags {
  readonly follow?: boolean;
}

/** `client send` (PX-010 – PX-012) */
export async function send(
  message: string | undefined,
  flags: SendFlags,
  context: CliContext,
): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const timeoutMs = timeoutOf(flags);
    const doesWait = flags.wait === true || flags.follow === true;
    if (flags.raw === true && doesWait)
      throw new UsageError('--raw sends keys, which have no answer to wait for');
    const content = await contentOf(message, run);
    if (flags.raw !== true && content.trim() === '') throw new UsageError('Message cannot be empty');
    const session = await sessionOf(await connect(run), signal);
    if (doesWait) {
      await sendAndPrint(session, content, run, { timeoutMs, asRecords: flags.follow === true });
      return;
    }
    await session.send(content, { type: flags.raw === true ? 'raw' : 'user', signal, timeoutMs });
    desk.answer({ ok: true, session_id: session.id }, () => ['Message sent successfully']);
  });
}

/** `client history` (PX-013) */
export async function history(
  id: string | undefined,
  flags: ClientFlags,
  context: CliContext,
): Promise<number> {
  return runWithSession(id, flags, context, async (session, run) => {
    const { desk, signal } = run;
    const messages = await session.messages({ signal });
    desk.answer({ messages }, () => [
      `Conversation History (${messages.length} messages):`,
      ...messages.map((message) => messageLine(message, run)),
    ]);
  });
}

/** `client status` (PX-014) */
export async function status(
  id: string | undefined,
  flags: ClientFlags,
  context: CliContext,
): Promise<number> {
  return runWithSession(id, flags, context, async (session, { desk, signal }) => {
    const report = await session.status({ signal });
    const paint = report.status === 'stable' ? desk.paint.green : desk.paint.yellow;
    desk.answer(report, () => [`Agent Status: ${paint(report.status)}`]);
  });
}

/** `client events` (PX-015) */
export async function events(
  id: string | undefined,
  flags: EventsFlags,
  context: CliContext,
): Promise<number> {
  return runWithSession(id, flags, context, async (session, { desk, signal }) => {
    desk.note('Monitoring events... (Press Ctrl+C to stop)');
    const follow = flags.follow === true;
    const stream = session.events({
      signal,
      onSessionEnd: 'return',
      reconnect: follow,
      // Without reconnection silence is no reason to end: other servers than the proxy send no sign of life.
      ...(follow ? {} : { heartbeatTimeoutMs: Infinity }),
      onReconnect: ({ cause }) => desk.note(`Connecting again: ${cause.message}`),
    });
    for await (const event of stream) {
      if (desk.json) desk.record(event);
      else desk.print(`${desk.paint.cyan('[EVENT]')} ${printable(dataOf(event)).replaceAll('\n', ' ')}`);
    }
  });
}

async function sendAndPrint(
  session: Session,
  content: string,
  { desk, signal }: ClientRun,
  options: { readonly timeoutMs: number | undefined; readonly asRecords: boolean },
): Promise<void> {
  using view = desk.wait('Waiting for the agent');
  const asRecords = desk.json && options.asRecords;
  const onChange = (message: Message, text: string): void => {
    if (asRecords) desk.record({ kind: 'message_update', message });
    view.label('The agent works');
    view.show(printable(text));
  };
  const isWatched = asRecords || view.isShown;
  await using _answer = isWatched ? await followAnswer(session, content, signal, onChange) : null;
  const turn = await session.sendAndWait(content, { signal, timeoutMs: options.timeoutMs });
  view[Symbol.dispose]();
  if (asRecords) desk.record({ kind: 'turn', ...turn });
  else desk.answer({ session_id: session.id, ...turn }, () => [printable(turn.text)]);
}

/** The message: an argument, standard input, or what the user is asked for (PX-011). */
async function contentOf(message: string | undefined, { flags, desk, signal }: ClientRun): Promise<string> {
  if (message !== undefined && message !== STANDARD_INPUT) return message;
  if (flags.apiKeyFile === STANDARD_INPUT) {
    throw new UsageError('standard input holds the key, so the message must be an argument');
  }
  if (message === undefined && desk.canAsk) return desk.ask('Enter message: ');
  return desk.readInput(signal);
}

function messageLine({ time, role, content }: Message, { desk }: ClientRun): string {
  const { paint } = desk;
  const dressed = role === 'user' ? paint.green(role) : paint.cyan(role);
  return `${paint.dim(`[${clockTime(time)}]`)} ${dressed}: ${printable(content)}`;
}

/** Hours, minutes and seconds here; a time that cannot be read stays as it is. */
function clockTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return printable(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** The data of an event as the agent server sends it. */
function dataOf(event: AgentEvent): string {
  switch (event.kind) {
    case 'message_update': {
      const { id, role, content, time } = event.message;
      return JSON.stringify({ id, role, message: content, time });
    }
    case 'unknown':
      return event.data;
    case 'status_change':
    case 'agent_error': {
      const { kind: _kind, ...data } = event;
      return JSON.stringify(data);
    }
  }
}
