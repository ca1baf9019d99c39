import pino, { type DestinationStream, type Logger } from 'pino';
import { PASSED_ALWAYS, matchesPattern } from './config/environment-names.ts';
import type { Config } from './config/schema.ts';
import { SecretRegistry } from './secret-registry.ts';

/** What every module logs through; `log.child({ module: 'sessions' })` names the module. */
export type Log = Logger;

/** The process's logger, and the values that it masks in every line of every child. */
export type RootLog = Log & { readonly secrets: SecretRegistry };

/** Credentials by the name of their header, wherever a headers object is logged. */
const SECRET_HEADERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'x-agentapi-token',
];

/**
 * The logger: JSON lines, or lines for people on a terminal, on standard error. Neither the credentials and
 * variables of the configuration nor what is added to `secrets` ever appears in them (DF-04, PX-166).
 * @param destination receives the lines instead of standard error; written to synchronously.
 */
export async function createLogger(config: Config, destination?: DestinationStream): Promise<RootLog> {
  const secrets = new SecretRegistry();
  for (const value of configuredSecrets(config)) secrets.add(value);
  const headers = [...SECRET_HEADERS, config.auth.header_name.toLowerCase()].map((name) => `["${name}"]`);
  const log = pino(
    {
      level: config.verbose && config.log_level !== 'trace' ? 'debug' : config.log_level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['headers', '*.headers'].flatMap((path) => headers.map((name) => path + name)),
        censor: '[secret]',
      },
      hooks: { streamWrite: (line) => secrets.maskLine(line) },
    },
    await sink(config, destination),
  );
  return Object.assign(log, { secrets });
}

/** Synchronous on purpose: the last lines before an exit or a crash are the ones that matter. */
async function sink(config: Config, destination?: DestinationStream): Promise<DestinationStream> {
  const target = destination ?? standardError();
  const onTerminal = destination === undefined && process.stderr.isTTY;
  if (config.log_format === 'json' || (config.log_format === 'auto' && !onTerminal)) return target;
  const { prettyFactory } = await import('pino-pretty');
  // Not as a stream: that would write later, and somebody would have to end it.
  const pretty = prettyFactory({ colorize: onTerminal, singleLine: true, translateTime: 'SYS:HH:MM:ss.l' });
  return { write: (line) => target.write(pretty(line)) };
}

/** A log that cannot be written, as on a full disk, must not end the server. */
function standardError(): DestinationStream {
  const stream = pino.destination({ dest: 2, sync: true });
  stream.on('error', () => undefined);
  return stream;
}

/** Values that the configuration itself holds and no log line may show. */
function configuredSecrets(config: Config): readonly string[] {
  const inherited = Object.entries(config.inherited_environment).filter(
    ([name]) => !matchesPattern(name, PASSED_ALWAYS),
  );
  return [
    ...config.auth.api_keys.map((entry) => entry.key.reveal()),
    ...Object.values(config.environment.set),
    ...Object.values(config.agents).flatMap((agent) => Object.values(agent.env ?? {})),
    ...inherited.map(([, value]) => value),
    ...(config.github.token === null ? [] : [config.github.token.reveal()]),
    ...credentialsOf(config.store.url?.reveal() ?? ''),
    ...(config.encryption.key?.reveal().split(/[\s,]+/) ?? []),
  ];
}

/** The password of a URL, as written and as meant; a driver may show either. */
function credentialsOf(url: string): readonly string[] {
  if (!URL.canParse(url)) return [];
  const { password } = new URL(url);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}
