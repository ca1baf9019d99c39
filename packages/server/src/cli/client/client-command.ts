import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import type { AttachFlags } from './attach-command.ts';
import type { SetContextFlags } from './context-commands.ts';
import type { EventsFlags, SendFlags } from './conversation-commands.ts';
import { EXIT_CODE_HELP } from './exit-codes.ts';
import type { ClientFlags } from './run-client.ts';
import type { ListFlags, LogFlags, StartFlags, WaitFlags } from './session-commands.ts';
import type { ShareFlags } from './share-commands.ts';

type SetExitCode = (code: number) => void;

const HELP_OF_ALL = `
Server, session and key come from the option, else from the environment variable, else from the context.
A session may be named by the beginning of its id. A key given with --api-key can be seen in the list of
processes; use AGENTAPI_PROXY_API_KEY or --api-key-file instead.
${EXIT_CODE_HELP}`;

/** Adds `client` and its subcommands: everything a user does with a server. */
export function addClientCommand(program: Command, context: CliContext, setExitCode: SetExitCode): void {
  const client: Command = program
    .command('client')
    .description('Talk to a server: start sessions, send messages, read answers')
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) => (command === client ? [] : [...client.options]),
    })
    .option('-e, --endpoint <url>', 'server (AGENTAPI_PROXY_ENDPOINT)')
    .option('-s, --session-id <id>', 'session (AGENTAPI_PROXY_SESSION_ID)')
    .option('--api-key <key>', 'key; visible to others on this machine (AGENTAPI_PROXY_API_KEY)')
    .option(
      '--api-key-file <file>',
      'file that holds the key, - = standard input (AGENTAPI_PROXY_API_KEY_FILE)',
    )
    .option('--context <name>', 'context to use instead of the current one (AGENTAPI_PROXY_CONTEXT)')
    .option('--json', 'answer with JSON; streams with one document a line')
    .option('--no-color', 'no colours, also NO_COLOR=1')
    .addHelpText('after', HELP_OF_ALL);
  addSessionCommands(client, context, setExitCode);
  addConversationCommands(client, context, setExitCode);
  addProfileCommands(client, context, setExitCode);
  addShareCommands(client, context, setExitCode);
  addContextCommands(client, context, setExitCode);
}

function addSessionCommands(client: Command, context: CliContext, setExitCode: SetExitCode): void {
  client
    .command('start')
    .description('Start a session and print its id')
    .option('-a, --agent <name>', 'agent (default: the choice of the server)')
    .option('--agent-arg <argument>', 'further argument for the agent; repeatable', collect)
    .option('-m, --message <text>', 'first message, delivered when the agent is ready')
    .option('-t, --tag <name=value>', 'tag; repeatable', collect)
    .option(
      '--env <name[=value]>',
      'variable for the agent; NAME alone takes the value from here; repeatable',
      collect,
    )
    .option('--env-from <file>', 'file with variables, a NAME=VALUE a line')
    .option('-r, --repository <owner/name>', 'GitHub repository for the workspace')
    .option('-u, --user <name>', 'owner; for administrators')
    .option('-p, --profile <profile>', 'start from this profile: id, name, or default')
    .option('--template <template>', 'message template of the profile as the first message')
    .option('--var <name=value>', 'variable of the template; repeatable', collect)
    .option('-w, --wait', 'wait until the agent is ready')
    .option('--timeout <time>', 'longest time to wait, such as 90s or 10m (default: 2m)')
    .action(async (_flags: unknown, command: Command) => {
      const { start } = await import('./session-commands.ts');
      setExitCode(await start(command.optsWithGlobals<StartFlags>(), context));
    });
  client
    .command('list')
    .description('List sessions, the newest first')
    .option('--all', 'also those that have ended')
    .option('--state <states>', 'only those in these states, separated by commas')
    .option('-t, --tag <name=value>', 'only those with this tag; repeatable', collect)
    .option('-u, --user <name>', 'only those of a user')
    .option('-n, --limit <number>', 'at most this many')
    .option('-q, --quiet', 'print ids only, one a line')
    .action(async (_flags: unknown, command: Command) => {
      const { list } = await import('./session-commands.ts');
      setExitCode(await list(command.optsWithGlobals<ListFlags>(), context));
    });
  sessionCommand(client, 'show', 'Show everything about a session').action(
    async (id: string | undefined, _flags: unknown, command: Command) => {
      const { show } = await import('./session-commands.ts');
      setExitCode(await show(id, command.optsWithGlobals<ClientFlags>(), context));
    },
  );
  client
    .command('delete')
    .description('End sessions and remove their workspaces')
    .argument('[sessions...]', 'ids or their beginnings (default: that of --session-id)')
    .action(async (ids: readonly string[], _flags: unknown, command: Command) => {
      const { remove } = await import('./session-commands.ts');
      setExitCode(await remove(ids, command.optsWithGlobals<ClientFlags>(), context));
    });
  sessionCommand(client, 'resume', 'Start a session that has ended again')
    .option('-w, --wait', 'wait until the agent is ready')
    .option('--timeout <time>', 'longest time to wait, such as 90s or 10m (default: 2m)')
    .action(async (id: string | undefined, _flags: unknown, command: Command) => {
      const { resume } = await import('./session-commands.ts');
      setExitCode(await resume(id, command.optsWithGlobals<WaitFlags>(), context));
    });
  sessionCommand(client, 'logs', "Print what the session's processes have printed")
    .option('-n, --lines <number>', 'only the last lines (default: 200)')
    .action(async (id: string | undefined, _flags: unknown, command: Command) => {
      const { logs } = await import('./session-commands.ts');
      setExitCode(await logs(id, command.optsWithGlobals<LogFlags>(), context));
    });
}

function addConversationCommands(client: Command, context: CliContext, setExitCode: SetExitCode): void {
  client
    .command('send')
    .description('Send a message; without one, or with -, it is read from standard input')
    .argument('[message]', 'message')
    .option('-w, --wait', 'wait until the agent is ready, send, and print the answer')
    .option('-f, --follow', 'like --wait; with --json every change of the answer is a line')
    .option('--timeout <time>', 'longest time to wait, such as 90s or 10m (default: 10m with --wait)')
    .option('--raw', 'type the text into the terminal as it is, without Enter')
    .action(async (message: string | undefined, _flags: unknown, command: Command) => {
      const { send } = await import('./conversation-commands.ts');
      setExitCode(await send(message, command.optsWithGlobals<SendFlags>(), context));
    });
  sessionCommand(client, 'history', 'Print the conversation').action(
    async (id: string | undefined, _flags: unknown, command: Command) => {
      const { history } = await import('./conversation-commands.ts');
      setExitCode(await history(id, command.optsWithGlobals<ClientFlags>(), context));
    },
  );
  sessionCommand(
    client,
    'status',
    'Print whether the agent waits for input (stable) or works (running)',
  ).action(async (id: string | undefined, _flags: unknown, command: Command) => {
    const { status } = await import('./conversation-commands.ts');
    setExitCode(await status(id, command.optsWithGlobals<ClientFlags>(), context));
  });
  sessionCommand(client, 'events', 'Print the events of a session as they happen')
    .option('-f, --follow', 'connect again when the connection is lost, until the session ends')
    .action(async (id: string | undefined, _flags: unknown, command: Command) => {
      const { events } = await import('./conversation-commands.ts');
      setExitCode(await events(id, command.optsWithGlobals<EventsFlags>(), context));
    });
  sessionCommand(client, 'attach', "Show the agent's terminal in this one, and send it the keys typed")
    .option('--detach-key <key>', 'key that leaves the session running and comes back', 'ctrl-]')
    .action(async (id: string | undefined, _flags: unknown, command: Command) => {
      const { attachToSession } = await import('./attach-command.ts');
      setExitCode(await attachToSession(id, command.optsWithGlobals<AttachFlags>(), context));
    });
}

function addProfileCommands(client: Command, context: CliContext, setExitCode: SetExitCode): void {
  const profiles = client
    .command('profiles')
    .description('Look at the profiles that sessions can start from');
  profiles
    .command('list')
    .description('List the profiles')
    .action(async (_flags: unknown, command: Command) => {
      const { listProfiles } = await import('./profile-commands.ts');
      setExitCode(await listProfiles(command.optsWithGlobals<ClientFlags>(), context));
    });
  profiles
    .command('show')
    .description('Show a profile')
    .argument('<profile>', 'its id, the beginning of it, or its name')
    .action(async (which: string, _flags: unknown, command: Command) => {
      const { showProfile } = await import('./profile-commands.ts');
      setExitCode(await showProfile(which, command.optsWithGlobals<ClientFlags>(), context));
    });
}

function addShareCommands(client: Command, context: CliContext, setExitCode: SetExitCode): void {
  const share = client.command('share').description('Let others into a session (named with --session-id)');
  share
    .command('list')
    .description('List who may use the session')
    .action(async (_flags: unknown, command: Command) => {
      const { listShares } = await import('./share-commands.ts');
      setExitCode(await listShares(command.optsWithGlobals<ClientFlags>(), context));
    });
  share
    .command('grant')
    .description('Let a user look on')
    .argument('<user>', 'user')
    .option('--write', 'and send messages')
    .option('--expires <time>', 'for this long, such as 8h or 7d (default: as long as the session)')
    .action(async (user: string, _flags: unknown, command: Command) => {
      const { grantShare } = await import('./share-commands.ts');
      setExitCode(await grantShare(user, command.optsWithGlobals<ShareFlags>(), context));
    });
  share
    .command('link')
    .description('Make a token with which anybody may look on, and print it this once')
    .option('--expires <time>', 'for this long, such as 8h or 7d (default: 1d)')
    .action(async (_flags: unknown, command: Command) => {
      const { createShareLink } = await import('./share-commands.ts');
      setExitCode(await createShareLink(command.optsWithGlobals<ShareFlags>(), context));
    });
  share
    .command('revoke')
    .description('Take a share or a link back')
    .argument('<id>', 'id, as share list shows it')
    .action(async (id: string, _flags: unknown, command: Command) => {
      const { revokeShare } = await import('./share-commands.ts');
      setExitCode(await revokeShare(id, command.optsWithGlobals<ClientFlags>(), context));
    });
}

function addContextCommands(client: Command, context: CliContext, setExitCode: SetExitCode): void {
  const contexts = client
    .command('context')
    .description('Keep servers under names, in ~/.config/agentapi-proxy/client.json');
  contexts
    .command('list')
    .description('List the contexts; * is the current one')
    .action(async (_flags: unknown, command: Command) => {
      const { listContexts } = await import('./context-commands.ts');
      setExitCode(await listContexts(command.optsWithGlobals<ClientFlags>(), context));
    });
  contexts
    .command('use')
    .description('Make a context the current one')
    .argument('<context>', 'name of the context')
    .action(async (name: string, _flags: unknown, command: Command) => {
      const { useContext } = await import('./context-commands.ts');
      setExitCode(await useContext(name, command.optsWithGlobals<ClientFlags>(), context));
    });
  contexts
    .command('set')
    .description('Make or change a context: --endpoint, --session-id and --api-key-file are kept')
    .argument('<context>', 'name of the context')
    .option('--store-key', 'keep the key itself, given by option or environment, else asked for')
    .option('--use', 'make it the current one')
    .action(async (name: string, _flags: unknown, command: Command) => {
      const { setContext } = await import('./context-commands.ts');
      setExitCode(await setContext(name, command.optsWithGlobals<SetContextFlags>(), context));
    });
  contexts
    .command('remove')
    .description('Forget a context')
    .argument('<context>', 'name of the context')
    .action(async (name: string, _flags: unknown, command: Command) => {
      const { removeContext } = await import('./context-commands.ts');
      setExitCode(await removeContext(name, command.optsWithGlobals<ClientFlags>(), context));
    });
}

function sessionCommand(client: Command, name: string, description: string): Command {
  return client
    .command(name)
    .description(description)
    .argument('[session]', 'id or its beginning (default: that of --session-id)');
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
