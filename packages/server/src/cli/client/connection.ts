import { createClient } from '@agentapi-proxy/client';
import type { Client, Session } from '@agentapi-proxy/client';
import { ApiError, InvalidResponseError } from '@agentapi-proxy/client';
import { resolve } from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { contextFilePath, readContexts, readKeyFile } from './contexts.ts';
import type { ServerContext } from './contexts.ts';
import { CLIENT_EXIT, CommandFailure, UsageError } from './exit-codes.ts';
import { runClient } from './run-client.ts';
import type { ClientFlags, ClientRun } from './run-client.ts';

/** A server and the right to talk to it. */
export interface Connection {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly apiKey: string | undefined;
  readonly client: Client;
  /** Of the command line, the environment or the context; may be the beginning of an id. */
  readonly sessionId: string | undefined;
}

/** Ids as the server makes them need not be looked for. */
const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Most candidates that are named when the beginning of an id is not enough. */
const MAX_CANDIDATES = 5;

/** Stands for standard input where a file is expected. */
export const STANDARD_INPUT = '-';

/**
 * Finds out which server is meant: command line, then environment, then context. The key of a context goes to the
 * endpoint of that context only.
 *
 * @throws UsageError naming what is missing (PX-017)
 */
export async function connect({ flags, context, desk, signal }: ClientRun): Promise<Connection> {
  const found = await connectionOf(flags, context, () => desk.readInput(signal));
  return { ...found, client: clientOf(found.endpoint, found.apiKey) };
}

/**
 * The same without a client.
 *
 * @param readInput - reads standard input to its end
 */
export async function connectionOf(
  flags: ClientFlags,
  context: CliContext,
  readInput: () => Promise<string>,
): Promise<Omit<Connection, 'client'>> {
  const chosen = await chosenContext(flags, context);
  const given = flags.endpoint ?? nonEmpty(context.environment['AGENTAPI_PROXY_ENDPOINT']);
  const endpoint = given ?? chosen?.endpoint ?? flags.defaultEndpoint;
  if (endpoint === undefined) {
    throw new UsageError(
      'no server is named; use --endpoint (-e), AGENTAPI_PROXY_ENDPOINT, or a context: agentapi-proxy client context set --help',
    );
  }
  const own = chosen !== null && isSameEndpoint(endpoint, chosen.endpoint) ? chosen : null;
  const apiKey = (await givenKey(flags, context, readInput)) ?? own?.api_key ?? (await keyOfFile(own));
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    apiKey,
    sessionId:
      flags.sessionId ?? nonEmpty(context.environment['AGENTAPI_PROXY_SESSION_ID']) ?? own?.session_id,
  };
}

/**
 * The session that is meant, by its id or by the beginning of one.
 *
 * @param given - of an argument, which wins over option, environment and context
 * @throws UsageError when none is named (PX-017), or several begin like that
 */
export async function sessionOf(
  connection: Connection,
  signal: AbortSignal,
  given: string | undefined = connection.sessionId,
): Promise<Session> {
  if (given === undefined || given === '') {
    throw new UsageError('no session is named; use --session-id (-s) or AGENTAPI_PROXY_SESSION_ID');
  }
  const { client } = connection;
  return client.session(SESSION_ID.test(given) ? given : await idThatBegins(client, given, signal));
}

/** {@link runClient} for the session that is meant: that of an argument, or of option, environment and context. */
export async function runWithSession(
  id: string | undefined,
  flags: ClientFlags,
  context: CliContext,
  work: (session: Session, run: ClientRun) => Promise<void>,
): Promise<number> {
  return runClient(flags, context, async (run) =>
    work(await sessionOf(await connect(run), run.signal, id), run),
  );
}

/**
 * The key that option or environment give; `undefined` without one.
 *
 * @param readInput - reads standard input to its end
 */
export async function givenKey(
  flags: ClientFlags,
  context: CliContext,
  readInput: () => Promise<string>,
): Promise<string | undefined> {
  if (flags.apiKey !== undefined && flags.apiKeyFile !== undefined) {
    throw new UsageError('--api-key and --api-key-file exclude each other');
  }
  const { environment, workingDirectory } = context;
  if (flags.apiKey !== undefined) return flags.apiKey;
  if (flags.apiKeyFile === STANDARD_INPUT) {
    const key = (await readInput()).trim();
    if (key === '') throw new UsageError('there is no key on standard input');
    return key;
  }
  if (flags.apiKeyFile !== undefined) return readKeyFile(resolve(workingDirectory, flags.apiKeyFile));
  const fromEnvironment = nonEmpty(environment['AGENTAPI_PROXY_API_KEY']);
  if (fromEnvironment !== undefined) return fromEnvironment;
  const file = nonEmpty(environment['AGENTAPI_PROXY_API_KEY_FILE']);
  return file === undefined ? undefined : readKeyFile(resolve(workingDirectory, file));
}

async function chosenContext(flags: ClientFlags, { environment }: CliContext): Promise<ServerContext | null> {
  const named = flags.context ?? nonEmpty(environment['AGENTAPI_PROXY_CONTEXT']);
  const { current, contexts } = await readContexts(contextFilePath(environment));
  const name = named ?? current;
  if (name === null) return null;
  const chosen = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (chosen !== undefined) return chosen;
  if (named === undefined) return null;
  throw new CommandFailure(
    CLIENT_EXIT.notFound,
    `there is no context ${JSON.stringify(name)}; agentapi-proxy client context list shows them`,
  );
}

async function keyOfFile(own: ServerContext | null): Promise<string | undefined> {
  return own?.api_key_file === undefined ? undefined : readKeyFile(own.api_key_file);
}

function clientOf(endpoint: string, apiKey: string | undefined): Client {
  const hasScheme = /^https?:\/\//i.test(endpoint);
  if (!hasScheme || !URL.canParse(endpoint)) {
    throw new UsageError('--endpoint must be a URL such as http://localhost:8080');
  }
  return createClient({ baseUrl: endpoint, apiKey });
}

async function idThatBegins(client: Client, given: string, signal: AbortSignal): Promise<string> {
  const found: string[] = [];
  try {
    for await (const { session_id: id } of client.searchAll({ state: 'all' }, { signal })) {
      if (id === given) return id;
      if (id.startsWith(given)) found.push(id);
    }
  } catch (error) {
    // Something else than the proxy answers here, or the key may not list: then it has to be the whole id.
    const isNoSearch = error instanceof ApiError && [403, 404, 405].includes(error.status);
    if (isNoSearch || error instanceof InvalidResponseError) return given;
    throw error;
  }
  const [only] = found;
  if (only === undefined) {
    throw new CommandFailure(
      CLIENT_EXIT.notFound,
      `no session begins with ${JSON.stringify(given)}; agentapi-proxy client list shows them`,
    );
  }
  if (found.length === 1) return only;
  const shown = found.slice(0, MAX_CANDIDATES).join(', ');
  const rest = found.length > MAX_CANDIDATES ? ' and more' : '';
  throw new UsageError(
    `${found.length} sessions begin with ${JSON.stringify(given)}: ${shown}${rest}; give more of the id`,
  );
}

function isSameEndpoint(one: string, other: string): boolean {
  return one.replace(/\/+$/, '') === other.replace(/\/+$/, '');
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
