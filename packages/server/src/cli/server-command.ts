import { ConfigError } from '../config/config-error.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { DataFolderError } from '../data-folder.ts';
import { createLogger, type RootLog } from '../log.ts';
import { StoreError } from '../store/store-error.ts';
import { type CliContext, EXIT, type ServerApp } from './cli-context.ts';

/** Options of `agentapi-proxy server` as typed. */
export interface ServerFlags {
  readonly port?: string;
  readonly host?: string;
  readonly config?: string;
  readonly verbose?: boolean;
}

/** A shell reports a program that a signal ended with this plus the signal's number. */
const SIGNAL_EXIT_BASE = 128;
const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;
type TerminationSignal = keyof typeof SIGNAL_NUMBERS;

/**
 * Runs the server until SIGINT or SIGTERM and answers the exit code: 0 after a clean shutdown, 1 when the
 * server cannot start or something is left running (DF-28, DF-67), 2 for a bad configuration (DF-07). A second
 * signal ends the process at once. SIGHUP reloads.
 */
export async function runServer(flags: ServerFlags, context: CliContext): Promise<number> {
  const complain = (text: string): void => {
    for (const line of text.split('\n')) context.stderr.write(`agentapi-proxy: ${line}\n`);
  };
  let loaded: LoadedConfig;
  try {
    loaded = loadConfig({
      environment: context.environment,
      workingDirectory: context.workingDirectory,
      file: flags.config,
      flags: { port: flags.port, host: flags.host, verbose: flags.verbose },
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    complain(error.message);
    return EXIT.badConfiguration;
  }
  const { config } = loaded;
  const log = await createLogger(config);
  log.info(
    { file: loaded.file },
    loaded.file === null ? 'no configuration file, using defaults' : 'configuration read',
  );
  for (const warning of loaded.warnings) log.warn(warning);

  using signals = new SignalWatch(context, log);
  let app: ServerApp | null = null;
  try {
    const { createApp } = await context.loadApp();
    app = await createApp(config, log);
    const { url } = await app.start();
    context.stdout.write(`${readyLine(config, url)}\n`);
  } catch (error) {
    const expected = isForOperators(error) ? error.message : listenFailure(error, config);
    if (expected === null) log.fatal({ err: error }, 'the server cannot start');
    complain(expected ?? `the server cannot start: ${messageOf(error)}`);
    if (app !== null) await closeApp(app, 'the start failed', config, context, complain);
    return error instanceof ConfigError ? EXIT.badConfiguration : EXIT.failed;
  }
  signals.reloadWith(app);
  const signal = await signals.termination;
  log.info({ signal }, 'shutting down');
  return await closeApp(app, signal, config, context, complain);
}

/** Closes within `shutdown_timeout_seconds`, or ends the process with a message. */
async function closeApp(
  app: ServerApp,
  reason: string,
  config: Config,
  context: CliContext,
  complain: (text: string) => void,
): Promise<number> {
  const allowed = config.shutdown_timeout_seconds;
  const deadline = setTimeout(() => {
    complain(
      `the shutdown took longer than ${allowed} s; sessions may still run, the next start looks after them`,
    );
    context.exitNow(EXIT.failed);
  }, allowed * 1000);
  try {
    const { left, kept } = await app.close(reason);
    if (kept > 0) complain(keptLine(kept));
    if (left.length === 0) return EXIT.ok;
    complain(`still running after the shutdown:\n${left.map((each) => `  ${each}`).join('\n')}`);
    return EXIT.failed;
  } catch (error) {
    complain(`the shutdown failed: ${messageOf(error)}`);
    return EXIT.failed;
  } finally {
    // From here on it only guards against something that keeps the process from ending by itself.
    deadline.unref();
  }
}

/** Turns the signals of the process into one promise, and a second one into the end. */
class SignalWatch implements Disposable {
  readonly termination: Promise<TerminationSignal>;
  readonly #context: CliContext;
  readonly #log: RootLog;
  readonly #listeners = new Map<string, () => void>();
  #app: ServerApp | null = null;

  constructor(context: CliContext, log: RootLog) {
    this.#context = context;
    this.#log = log;
    this.termination = new Promise((resolve) => {
      let received = false;
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        this.#listen(signal, () => {
          if (received) this.#force(signal);
          received = true;
          resolve(signal);
        });
      }
    });
    // Before the server runs there is nothing to reload, but the signal must not end the process either.
    this.#listen('SIGHUP', () => void this.#reload());
  }

  /** From now on SIGHUP reloads this server. */
  reloadWith(app: ServerApp): void {
    this.#app = app;
  }

  #listen(signal: string, listener: () => void): void {
    this.#listeners.set(signal, listener);
    this.#context.signals.on(signal, listener);
  }

  #force(signal: TerminationSignal): void {
    this.#context.stderr.write(
      'agentapi-proxy: ended at once; sessions may still run, the next start looks after them\n',
    );
    this.#context.exitNow(SIGNAL_EXIT_BASE + SIGNAL_NUMBERS[signal]);
  }

  async #reload(): Promise<void> {
    try {
      await this.#app?.reload();
      this.#log.info('reloaded');
    } catch (error) {
      this.#log.error({ reason: messageOf(error) }, 'reload failed, everything stays as it was');
    }
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) this.#context.signals.off(signal, listener);
  }
}

function readyLine(config: Config, url: string): string {
  const key = config.auth.enabled ? `-H '${config.auth.header_name}: KEY' ` : '';
  return `agentapi-proxy is ready at ${url}; start a session with: curl -X POST ${key}${url}/start (Ctrl+C stops the server)`;
}

function keptLine(kept: number): string {
  const go =
    kept === 1
      ? '1 session goes on; the next start takes it up'
      : `${kept} sessions go on; the next start takes them up`;
  return `${go} (on_shutdown "keep"; "terminate" ends sessions with the server)`;
}

/** What commonly keeps a server from listening, by the code of the system error. */
const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is already in use; stop the other program, or choose another port with --port',
  EACCES: 'needs rights that this user does not have; choose a port above 1023 with --port',
  EADDRNOTAVAIL: 'cannot be used: it is no address of this machine',
  ENOTFOUND: 'cannot be used: the host name is unknown',
};

/** The sentence for a system error of the listening socket; `null` for every other error. */
function listenFailure(error: unknown, config: Config): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const isListen = 'syscall' in cause && ['listen', 'bind', 'getaddrinfo'].includes(String(cause.syscall));
    const text = LISTEN_FAILURES[code];
    if (isListen && text !== undefined) return `port ${config.port} on ${config.host} ${text}`;
  }
  return null;
}

/** Errors that say in their message what is wrong and what would help. */
function isForOperators(error: unknown): error is Error {
  return [ConfigError, StoreError, DataFolderError].some((kind) => error instanceof kind);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
