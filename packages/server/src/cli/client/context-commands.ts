import { resolve } from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { givenKey, STANDARD_INPUT } from './connection.ts';
import { checkContextName, contextFilePath, readContexts, writeContexts } from './contexts.ts';
import type { ServerContext } from './contexts.ts';
import { CLIENT_EXIT, CommandFailure, UsageError } from './exit-codes.ts';
import { runClient } from './run-client.ts';
import type { ClientFlags, ClientRun } from './run-client.ts';

export interface SetContextFlags extends ClientFlags {
  /** Keeps the key itself in the file. */
  readonly storeKey?: boolean;
  /** Makes it the current context. */
  readonly use?: boolean;
}

/** `client context list` */
export async function listContexts(flags: ClientFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async ({ desk }) => {
    const { current, contexts } = await readContexts(contextFilePath(context.environment));
    const entries = Object.entries(contexts).toSorted(([one], [other]) => one.localeCompare(other));
    const views = entries.map(([name, entry]) => ({
      name,
      current: name === current,
      endpoint: entry.endpoint,
      session_id: entry.session_id ?? null,
      key: keyPlace(entry),
    }));
    desk.answer({ contexts: views }, () => {
      if (views.length === 0) return ['No contexts'];
      const rows = views.map((view) => [
        view.current ? '*' : '',
        view.name,
        view.endpoint,
        view.session_id ?? '',
        view.key ?? '',
      ]);
      return desk.table([['', 'NAME', 'ENDPOINT', 'SESSION', 'KEY'], ...rows]);
    });
  });
}

/** `client context use NAME` */
export async function useContext(name: string, flags: ClientFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async ({ desk }) => {
    const path = contextFilePath(context.environment);
    const { contexts } = await readContexts(path);
    const entry = existing(contexts, name);
    await writeContexts(path, { current: name, contexts });
    desk.answer({ current: name }, () => [`Using ${name}: ${entry.endpoint}`]);
  });
}

/** `client context set NAME`: makes a context or changes what is named of it. */
export async function setContext(name: string, flags: SetContextFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk } = run;
    checkContextName(name);
    const path = contextFilePath(context.environment);
    const { current, contexts } = await readContexts(path);
    const before = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
    const endpoint = checkEndpoint(flags.endpoint ?? before?.endpoint);
    // A key that was kept for one server is not for another.
    const kept = before?.endpoint === endpoint ? before : undefined;
    const entry: ServerContext = {
      endpoint,
      session_id: flags.sessionId ?? kept?.session_id,
      ...(await newKey(run, flags, kept)),
    };
    const isCurrent = flags.use === true || current === null || current === name;
    await writeContexts(path, {
      current: isCurrent ? name : current,
      contexts: { ...contexts, [name]: entry },
    });
    desk.answer({ name, endpoint, current: isCurrent, key: keyPlace(entry) }, () => [
      `Context ${name}: ${endpoint}${isCurrent ? ' (current)' : ''}`,
    ]);
    if (entry.api_key !== undefined) desk.note(`The key is in ${path}, readable by you only`);
  });
}

/** `client context remove NAME` */
export async function removeContext(name: string, flags: ClientFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async ({ desk }) => {
    const path = contextFilePath(context.environment);
    const { current, contexts } = await readContexts(path);
    existing(contexts, name);
    const rest = Object.fromEntries(Object.entries(contexts).filter(([each]) => each !== name));
    await writeContexts(path, { current: current === name ? null : current, contexts: rest });
    desk.answer({ removed: name }, () => [`Removed ${name}`]);
  });
}

async function newKey(
  { context, desk, signal }: ClientRun,
  flags: SetContextFlags,
  kept: ServerContext | undefined,
): Promise<Pick<ServerContext, 'api_key' | 'api_key_file'>> {
  if (flags.storeKey === true) {
    const given = await givenKey(flags, context, () => desk.readInput(signal));
    const key = given ?? (desk.canAsk ? (await desk.ask('API key: ', { silent: true })).trim() : '');
    if (!/^[\x21-\x7e]+$/.test(key)) {
      throw new UsageError('--store-key needs a key: printable ASCII without spaces, and not empty');
    }
    return { api_key: key };
  }
  if (flags.apiKey !== undefined || flags.apiKeyFile === STANDARD_INPUT) {
    throw new UsageError(
      'keys are kept only when you ask for it: add --store-key, or name a file that holds the key',
    );
  }
  if (flags.apiKeyFile !== undefined) {
    return { api_key_file: resolve(context.workingDirectory, flags.apiKeyFile) };
  }
  return { api_key: kept?.api_key, api_key_file: kept?.api_key_file };
}

function checkEndpoint(endpoint: string | undefined): string {
  if (endpoint === undefined) throw new UsageError('a new context needs --endpoint');
  if (/^https?:\/\//i.test(endpoint) && URL.canParse(endpoint)) return endpoint.replace(/\/+$/, '');
  throw new UsageError('--endpoint must be a URL such as http://localhost:8080');
}

function existing(contexts: Readonly<Record<string, ServerContext>>, name: string): ServerContext {
  const entry = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (entry !== undefined) return entry;
  throw new CommandFailure(
    CLIENT_EXIT.notFound,
    `there is no context ${JSON.stringify(name)}; agentapi-proxy client context list shows them`,
  );
}

/** Where the key of a context is; never the key. */
function keyPlace(entry: ServerContext): string | null {
  return entry.api_key === undefined ? (entry.api_key_file ?? null) : 'stored';
}
