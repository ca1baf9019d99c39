import { AppError } from '../errors.ts';

/** What the operator lets into a session's environment; see `environment` in the configuration. */
export interface EnvironmentPolicy {
  /** The server's own environment. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** Names, or prefixes ending in `*`, taken over from {@link inherited} (DF-12). */
  readonly pass: readonly string[];
  /** Set for every session; beats what is passed. */
  readonly set: Readonly<Record<string, string>>;
  /** Names, or prefixes ending in `*`, that a request may not set (DF-13). */
  readonly deny: readonly string[];
  /** Most entries in a request. */
  readonly maxEntries: number;
  /** Most bytes of all names and values of a request together. */
  readonly maxBytes: number;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reserved for the server's own marks on a session's processes. */
const RESERVED_PREFIX = 'AGENTAPI_PROXY_';

/**
 * Checks the environment of a request.
 * @throws AppError `invalid_environment`, naming the variable and never its value (PX-085).
 */
export function checkEnvironment(
  environment: Readonly<Record<string, string>>,
  policy: EnvironmentPolicy,
): void {
  const entries = Object.entries(environment);
  if (entries.length > policy.maxEntries) {
    throw refusal(`environment has ${entries.length} entries; at most ${policy.maxEntries} are allowed`);
  }
  let bytes = 0;
  for (const [name, value] of entries) {
    const shown = JSON.stringify(name.slice(0, 100));
    if (!NAME.test(name)) {
      throw refusal(
        `environment name ${shown} is not valid: use letters, digits and "_", not starting with a digit`,
        name,
      );
    }
    if (value.includes('\0')) throw refusal(`environment value of ${shown} contains a NUL character`, name);
    if (name.startsWith(RESERVED_PREFIX) || matches(name, policy.deny)) {
      throw refusal(`environment name ${shown} may not be set by a request on this server`, name);
    }
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > policy.maxBytes) {
    throw refusal(`environment has ${bytes} bytes; at most ${policy.maxBytes} are allowed`);
  }
}

/**
 * The whole environment of a session's processes: what is passed from the server's, then the
 * operator's settings, the agent's, and the request's; later ones win (PX-083, PX-084).
 */
export function buildEnvironment(
  policy: EnvironmentPolicy,
  agent: Readonly<Record<string, string>>,
  request: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(policy.inherited)) {
    if (value !== undefined && matches(name, policy.pass) && !name.startsWith(RESERVED_PREFIX))
      environment[name] = value;
  }
  return { ...environment, ...policy.set, ...agent, ...request };
}

function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function refusal(message: string, name?: string): AppError {
  const field = name === undefined ? 'environment' : `environment.${name.slice(0, 100)}`;
  return new AppError('invalid_environment', { message, details: { field } });
}
