import { UsageError } from './cli-flags.ts';
import { controlFdOf, parseServerArguments, serverUsage, type ServerOptions } from './cli-options.ts';
import { reasonOf, runServer, superviseBy, type ProcessContext, type Supervision } from './run-server.ts';
import { AGENTAPI_VERSION } from './version.ts';

export { contextOf } from './run-server.ts';

/**
 * Runs one command line of agentapi (section 1.1), without the program's name.
 * @param program how the help calls the program.
 * @returns the exit code; everything that was started has ended then.
 */
export async function runCommandLine(
  program: string,
  args: readonly string[],
  context: ProcessContext,
): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case undefined:
    case 'help':
    case '-h':
    case '--help':
      context.writeOut(rootUsage(program));
      return 0;
    case '-v':
    case '--version':
      context.writeOut(`agentapi version ${AGENTAPI_VERSION}\n`);
      return 0;
    case 'server':
      return runServerCommand(program, rest, context);
    case 'attach':
      return runAttach(program, rest, context);
    default: {
      const kind = command.startsWith('-') ? 'unknown flag: ' : 'unknown command ';
      return refuse(new UsageError(`${kind}${command}`), rootUsage(program), context);
    }
  }
}

async function runServerCommand(
  program: string,
  args: readonly string[],
  context: ProcessContext,
): Promise<number> {
  const controlFd = controlFdOf(args);
  if (controlFd !== undefined) return runSupervised(program, args, controlFd, context);
  try {
    const request = parseServerArguments(args, context.environment);
    switch (request.kind) {
      case 'help':
        context.writeOut(serverUsage(program));
        return 0;
      case 'exit':
        return 0;
      case 'run':
        return await runStandalone(request.options, context);
    }
  } catch (error) {
    return refuse(error, serverUsage(program), context);
  }
}

async function runAttach(program: string, args: readonly string[], context: ProcessContext): Promise<number> {
  const { attachUsage, runAttachCommand } = await import('./attach/attach-command.ts');
  try {
    return await runAttachCommand(program, args, context);
  } catch (error) {
    return refuse(error, attachUsage(program), context);
  }
}

async function runStandalone(options: ServerOptions, context: ProcessContext): Promise<number> {
  const { readPipedPrompt, standAlone } = await import('./standalone.ts');
  const initialPrompt = options.initialPrompt || (await readPipedPrompt(context.stdin));
  const settings = { ...options, initialPrompt };
  return withPidFile(settings, context, async () => {
    if (!settings.printOpenApi) return runServer(settings, context, standAlone(settings, context));
    const { openApiDocument } = await import('./http/openapi.ts');
    context.writeOut(`${JSON.stringify(openApiDocument('3.0'), null, 2)}\n`);
    return 0;
  });
}

async function runSupervised(
  program: string,
  args: readonly string[],
  controlFd: number,
  context: ProcessContext,
): Promise<number> {
  const [{ ControlChannel }, { ReportFeed }] = await Promise.all([
    import('./control-channel.ts'),
    import('./report-feed.ts'),
  ]);
  let channel: InstanceType<typeof ControlChannel> | undefined;
  let feed: InstanceType<typeof ReportFeed> | undefined;
  try {
    const started = new ControlChannel(controlFd);
    channel = started;
    feed = new ReportFeed((report) => started.report(report), undefined);
    const request = parseServerArguments(args, context.environment);
    if (request.kind !== 'run') throw new UsageError('a supervised server runs an agent and nothing else');
    const { options } = request;
    feed = new ReportFeed((report) => started.report(report), options.exitReport);
    const supervision: Supervision = superviseBy(started, feed);
    return await withPidFile(options, context, () => runServer(options, context, supervision));
  } catch (error) {
    feed?.report({ kind: 'failed', reason: reasonOf(error) });
    return refuse(error, serverUsage(program), context);
  } finally {
    await channel?.close();
  }
}

async function withPidFile(
  options: ServerOptions,
  context: ProcessContext,
  work: () => Promise<number>,
): Promise<number> {
  if (options.pidFile === undefined) return work();
  const { writePidFile } = await import('./pid-file.ts');
  const pidFile = await writePidFile(options.pidFile, context.pid);
  try {
    return await work();
  } finally {
    await pidFile.remove();
  }
}

/** Says why nothing was done; a wrong command line also shows the usage, and the message again on stdout. */
function refuse(error: unknown, usage: string, context: ProcessContext): number {
  const reason = reasonOf(error);
  if (error instanceof UsageError) {
    context.writeError(`Error: ${reason}\n${usage}\n`);
    context.writeOut(`${reason}\n`);
  } else {
    context.writeError(`${reason}\n`);
  }
  return 1;
}

function rootUsage(program: string): string {
  return [
    'Serves the HTTP API of agentapi for one coding agent.',
    '',
    'Usage:',
    `  ${program} [command]`,
    '',
    'Commands:',
    '  server      Run the server around an agent',
    '  attach      Show the agent of a running server in this terminal',
    '  help        Show this help',
    '',
    'Flags:',
    '  -h, --help      Show this help',
    '  -v, --version   Show the version',
    '',
    `Use "${program} server --help" or "${program} attach --help" for the flags of a command.`,
    '',
  ].join('\n');
}
