import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { SESSION_STATES } from '@agentapi-proxy/client';
import type { Session, SessionDetails, SessionState, SessionSummary } from '@agentapi-proxy/client';
import type { CliContext } from '../cli-context.ts';
import { parseDuration } from '../duration.ts';
import { connect, runWithSession, sessionOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { printable } from './desk.ts';
import type { Desk } from './desk.ts';
import { CLIENT_EXIT, UsageError } from './exit-codes.ts';
import { profileOf } from './profile-commands.ts';
import { runClient } from './run-client.ts';
import type { ClientFlags, ClientRun } from './run-client.ts';

export interface WaitFlags extends ClientFlags {
  readonly wait?: boolean;
  /** A duration such as `10m`. */
  readonly timeout?: string;
}

export interface StartFlags extends WaitFlags {
  readonly agent?: string;
  readonly agentArg?: readonly string[];
  readonly message?: string;
  readonly tag?: readonly string[];
  readonly env?: readonly string[];
  /** Not `--env-file`: Node 20 takes that for its own, wherever it stands. */
  readonly envFrom?: string;
  readonly repository?: string;
  readonly user?: string;
  /** Id or name; `default` for the caller's default profile. */
  readonly profile?: string;
  readonly template?: string;
  readonly var?: readonly string[];
}

export interface ListFlags extends ClientFlags {
  readonly all?: boolean;
  readonly state?: string;
  readonly tag?: readonly string[];
  readonly user?: string;
  readonly limit?: string;
  readonly quiet?: boolean;
}

export interface LogFlags extends ClientFlags {
  readonly lines?: string;
}

/** Enough to tell the sessions of one server apart at a glance; longer where it is not. */
const SHORT_ID_LENGTH = 8;

/** `client start`: the id of the new session is the answer. */
export async function start(flags: StartFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const timeoutMs = timeoutOf(flags);
    const request = await startRequestOf(flags, context);
    const connection = await connect(run);
    const session = await startSession(connection, flags, request, signal);
    desk.note(`Session ${session.id} is starting`);
    if (flags.wait === true) await untilReady(session, run, timeoutMs);
    desk.answer({ session_id: session.id }, () => [session.id]);
  });
}

/** `client list` */
export async function list(flags: ListFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const limit = flags.limit === undefined ? Infinity : countOf('--limit', flags.limit);
    const filter = {
      state: flags.all === true ? ('all' as const) : statesOf(flags.state),
      tags: pairsOf('--tag', flags.tag),
      user_id: flags.user,
      limit: Number.isFinite(limit) ? Math.min(limit, 1000) : undefined,
    };
    const { client } = await connect(run);
    const sessions: SessionSummary[] = [];
    for await (const session of client.searchAll(filter, { signal })) {
      sessions.push(session);
      if (sessions.length >= limit) break;
    }
    desk.answer({ sessions }, () => {
      if (flags.quiet === true) return sessions.map(({ session_id: id }) => id);
      return sessions.length === 0 ? ['No sessions'] : sessionTable(sessions, desk);
    });
  });
}

/** `client show`: everything the server tells about a session. */
export async function show(id: string | undefined, flags: ClientFlags, context: CliContext): Promise<number> {
  return runWithSession(id, flags, context, async (session, { desk, signal }) => {
    const details = await session.details({ signal });
    desk.answer(details, () => detailLines(details, desk));
  });
}

/** `client delete`: each of the sessions, or the one of option and environment. */
export async function remove(
  ids: readonly string[],
  flags: ClientFlags,
  context: CliContext,
): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const connection = await connect(run);
    const sessions: Session[] = [];
    // All of them before the first is deleted: a mistyped id should not leave half of the work done.
    for (const id of ids.length === 0 ? [undefined] : ids)
      sessions.push(await sessionOf(connection, signal, id));
    let isLeft = false;
    for (const session of sessions) {
      using view = desk.wait(`Ending session ${session.id}`);
      const result = await session.delete({ signal });
      view[Symbol.dispose]();
      const isRunning = result.status === 'terminating';
      isLeft ||= isRunning;
      const text = isRunning
        ? `Session ${session.id} has processes that do not end; delete it again later`
        : `Session ${session.id} deleted`;
      if (desk.json) desk.record(result);
      else desk.print(text);
    }
    return isLeft ? CLIENT_EXIT.failed : CLIENT_EXIT.ok;
  });
}

/** `client resume`: starts a session that has ended again. */
export async function resume(id: string | undefined, flags: WaitFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const timeoutMs = timeoutOf(flags);
    const session = await sessionOf(await connect(run), run.signal, id);
    await session.resume({ signal: run.signal });
    if (flags.wait === true) await untilReady(session, run, timeoutMs);
    run.desk.answer({ session_id: session.id }, () => [`Session ${session.id} resumed`]);
  });
}

/** `client logs`: what the session's processes printed. */
export async function logs(id: string | undefined, flags: LogFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const lines = flags.lines === undefined ? undefined : countOf('--lines', flags.lines);
    const session = await sessionOf(await connect(run), signal, id);
    const text = (await session.log({ lines, signal })).replace(/\n$/, '');
    const shown = desk.isTerminal ? printable(text) : text;
    const all = text === '' ? [] : shown.split('\n');
    desk.answer({ session_id: session.id, lines: text === '' ? [] : text.split('\n') }, () => all);
    if (text === '') desk.note('The session has printed nothing');
  });
}

/**
 * The limit that `--timeout` sets, in milliseconds; `undefined` without it.
 *
 * @throws UsageError when it is no duration
 */
export function timeoutOf({ timeout }: WaitFlags): number | undefined {
  if (timeout === undefined) return undefined;
  const ms = parseDuration(timeout);
  if (ms === null || ms === 0) throw new UsageError('--timeout must be a time such as 30s, 10m or 2h');
  return ms;
}

/**
 * Pairs of `NAME=VALUE` options.
 *
 * @throws UsageError for one without `=`
 */
export function pairsOf(option: string, pairs: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`${option} must be NAME=VALUE; got ${JSON.stringify(pair)}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** @throws UsageError when it is no number from 1 upwards */
export function countOf(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${option} must be a number from 1 upwards; got ${JSON.stringify(text)}`);
}

/** A time as people read it: how long ago. */
export function ageOf(time: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(time)) / 1000));
  if (Number.isNaN(seconds)) return '-';
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

type StartBody = Awaited<ReturnType<typeof startRequestOf>>;

async function startRequestOf(flags: StartFlags, { environment, workingDirectory }: CliContext) {
  const variables = {
    ...(flags.envFrom === undefined ? {} : await variablesOfFile(resolve(workingDirectory, flags.envFrom))),
    ...namedVariables(flags.env, environment),
  };
  const tags = {
    ...pairsOf('--tag', flags.tag),
    ...(flags.repository === undefined ? {} : { repository: flags.repository }),
  };
  if (flags.profile === undefined && (flags.template !== undefined || flags.var !== undefined)) {
    throw new UsageError('--template and --var need --profile');
  }
  return {
    agent: flags.agent,
    agent_args: flags.agentArg,
    message: flags.message,
    user_id: flags.user,
    environment: Object.keys(variables).length === 0 ? undefined : variables,
    tags: Object.keys(tags).length === 0 ? undefined : tags,
  };
}

async function startSession(
  { client }: Connection,
  flags: StartFlags,
  request: StartBody,
  signal: AbortSignal,
): Promise<Session> {
  if (flags.profile === undefined) return client.start(request, { signal });
  const profile = flags.profile === 'default' ? undefined : await profileOf(client, flags.profile, signal);
  return client.startWithProfile(
    {
      ...request,
      profile_id: profile?.id,
      template: flags.template,
      variables: flags.var === undefined ? undefined : pairsOf('--var', flags.var),
    },
    { signal },
  );
}

async function variablesOfFile(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--env-from: ${error instanceof Error ? error.message : String(error)}`);
  });
  return Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** `NAME=VALUE`, or `NAME` for a variable of this process, whose value then stands in no argument list. */
function namedVariables(
  variables: readonly string[] = [],
  environment: CliContext['environment'],
): Record<string, string> {
  return Object.fromEntries(
    variables.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      const value = environment[text];
      if (value === undefined) throw new UsageError(`--env ${text}: there is no such variable here`);
      return [text, value];
    }),
  );
}

async function untilReady(
  session: Session,
  { desk, signal }: ClientRun,
  timeoutMs: number | undefined,
): Promise<void> {
  using _view = desk.wait('Waiting until the agent is ready');
  await session.waitUntilReady({ signal, timeoutMs });
}

function statesOf(text: string | undefined): readonly SessionState[] | undefined {
  return text?.split(',').map((name) => {
    const state = SESSION_STATES.find((known) => known === name.trim());
    if (state !== undefined) return state;
    throw new UsageError(`--state must be some of ${SESSION_STATES.join(', ')}; got ${JSON.stringify(name)}`);
  });
}

function sessionTable(sessions: readonly SessionSummary[], desk: Desk): readonly string[] {
  const { isTerminal, paint } = desk;
  const idLength = isTerminal ? distinctLength(sessions.map(({ session_id: id }) => id)) : Infinity;
  const rows = sessions.map((session) => [
    session.session_id.slice(0, idLength),
    session.state,
    session.agent,
    session.user_id,
    isTerminal ? ageOf(session.started_at) : session.started_at,
    session.workspace_name ?? '',
    Object.entries(session.tags)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  ]);
  const titles = ['ID', 'STATE', 'AGENT', 'USER', isTerminal ? 'AGE' : 'STARTED', 'WORKSPACE', 'TAGS'];
  const dress = { running: paint.green, failed: paint.red, stopped: paint.dim };
  return desk.table([titles, ...rows], (text, row, column) => {
    const state = sessions[row - 1]?.state;
    return column === 1 && (state === 'running' || state === 'failed' || state === 'stopped')
      ? dress[state](text)
      : text;
  });
}

function distinctLength(ids: readonly string[]): number {
  const isDistinct = (length: number): boolean =>
    new Set(ids.map((id) => id.slice(0, length))).size === ids.length;
  const longest = Math.max(SHORT_ID_LENGTH, ...ids.map((id) => id.length));
  let length = SHORT_ID_LENGTH;
  while (length < longest && !isDistinct(length)) length += 1;
  return length;
}

function detailLines(details: SessionDetails, desk: Desk): readonly string[] {
  const { initial_message: first, exit_code: exitCode, exit_signal: exitSignal } = details;
  const tags = Object.entries(details.tags).map(([name, value]) => `${name}=${value}`);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Session', details.session_id],
    ['State', details.state],
    ['Reason', details.reason],
    ['Agent', `${details.agent} (${details.agent_type}, ${details.agent_server})`],
    ['User', details.user_id],
    ['Started', details.started_at],
    ['Updated', details.updated_at],
    ['Tags', tags.length === 0 ? undefined : tags.join(' ')],
    ['Variables', details.environment_names.length === 0 ? undefined : details.environment_names.join(' ')],
    [
      'First message',
      first === undefined ? undefined : [first.state, first.reason].filter(Boolean).join(': '),
    ],
    ['Exit', exitSignal ?? (exitCode === undefined || exitCode === null ? undefined : String(exitCode))],
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`${desk.paint.bold(`${name}:`.padEnd(15))} ${printable(value)}`],
  );
  const output = details.last_output ?? [];
  return output.length === 0
    ? lines
    : [...lines, 'Last output:', ...output.map((line) => `  ${printable(line)}`)];
}
