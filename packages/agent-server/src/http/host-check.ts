import { checkListEntries } from './list-entry.ts';

/** Which Host headers are answered (agentapi section 2.2); protects against DNS rebinding. */
export interface HostCheck {
  /** The allowed hosts as the refusal shows them. */
  readonly shown: string;
  allows(hostHeader: string): boolean;
}

/**
 * Builds the check from an allow-list; `*` anywhere in it allows everything (AA-026).
 * @throws {Error} for an invalid entry (AA-027).
 */
export function createHostCheck(entries: readonly string[]): HostCheck {
  if (entries.includes('*')) return { shown: '*', allows: () => true };
  checkListEntries(entries);
  const withScheme = entries.find((entry) => /https?:\/\//u.test(entry));
  if (withScheme !== undefined) throw new Error(`'${withScheme}' must not include http:// or https://`);
  const parsed = entries.map((entry) => ({ entry, ...splitHost(entry) }));
  const invalid = parsed.find(({ problem }) => problem !== null);
  if (invalid !== undefined) throw new Error(`'${invalid.entry}' is not a valid host: ${invalid.problem}`);
  const withPort = parsed.find(({ port }) => port !== null);
  if (withPort !== undefined) throw new Error(`'${withPort.entry}' must not include a port`);
  const allowed = new Set(parsed.map(({ host }) => host.toLowerCase()));
  return {
    shown: parsed.map(({ host }) => host).join(', '),
    allows: (hostHeader) => {
      const { host, problem } = splitHost(hostHeader);
      // Without brackets a colon is no part of a host name.
      const bare = host.includes(':') && !hostHeader.startsWith('[');
      return problem === null && !bare && allowed.has(host.toLowerCase());
    },
  };
}

interface HostParts {
  /** Without brackets. */
  readonly host: string;
  readonly port: string | null;
  readonly problem: string | null;
}

/** Splits `host[:port]`; the port is what follows the last colon outside of brackets. */
function splitHost(text: string): HostParts {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^[\]]*?))(?::([^:[\]]*))?$/iu.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = match?.[3] ?? null;
  const problem =
    match === null
      ? 'the brackets do not match'
      : host === ''
        ? 'the name is empty'
        : /[\s/?#@\\<>"^`{|}\p{Cc}]/u.test(host)
          ? 'it contains a character that no host name has'
          : port !== null && !/^\d*$/u.test(port)
            ? `invalid port ":${port}" after host`
            : null;
  return { host, port, problem };
}
