import { ENVIRONMENT_NAME, matchesPattern, RESERVED } from '../config/environment-names.ts';
import { AppError } from '../errors.ts';

/** What the operator lets into a session's environment; see `environment` in the configuration. */
export interface EnvironmentPolicy {
  /** What every session takes over from the server's own environment (DF-12). */
  readonly inherited: Readonly<Record<string, string>>;
  /** Set for every session; beats what is inherited. */
  readonly set: Readonly<Record<string, string>>;
  /** Names, or prefixes ending in `*`, that a request may not set (DF-13). */
  readonly deny: readonly string[];
  /** Most entries in a request. */
  readonly maxEntries: number;
  /** Most bytes of all names and values of a request together. */
  readonly maxBytes: number;
}

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
    if (!ENVIRONMENT_NAME.test(name)) {
      throw refusal(
        `environment name ${shown} is not valid: use letters, digits and "_", not starting with a digit`,
        name,
      );
    }
    if (value.includes('\0')) throw refusal(`environment value of ${shown} contains a NUL character`, name);
    if (matchesPattern(name, RESERVED) || matchesPattern(name, policy.deny)) {
      throw refusal(`environment name ${shown} may not be set by a request on this server`, name);
    }
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > policy.maxBytes) {
    throw refusal(`environment has ${bytes} bytes; at most ${policy.maxBytes} are allowed`);
  }
}

/**
 * The whole environment of a session's processes: what is inherited, then the operator's settings, the
 * agent's, and the request's; later ones win (PX-083, PX-084).
 */
export function buildEnvironment(
  policy: EnvironmentPolicy,
  agent: Readonly<Record<string, string>>,
  request: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...policy.inherited, ...policy.set, ...agent, ...request };
}

function refusal(message: string, name?: string): AppError {
  const field = name === undefined ? 'environment' : `environment.${name.slice(0, 100)}`;
  return new AppError('invalid_environment', { message, details: { field } });
}
