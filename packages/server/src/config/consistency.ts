import { isIPv4 } from 'node:net';
import { BUILT_IN_AGENTS } from './agents.ts';
import { closestName } from './closest-name.ts';
import type { Config, ParsedConfig } from './schema.ts';

/** A pair of fields, each fine by itself, with which the server must not start. */
export interface Conflict {
  readonly path: readonly string[];
  readonly text: string;
}

/** Whether only programs of this machine can reach an address (DF-18). */
export function isLoopback(host: string): boolean {
  const plain = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return plain === 'localhost' || plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** Whether sessions survive the server. */
export function isPersistent({ persistence }: Pick<ParsedConfig, 'persistence'>): boolean {
  return persistence.enabled && persistence.backend !== 'memory';
}

/** Everything that fields forbid one another. */
export function findConflicts(config: ParsedConfig): readonly Conflict[] {
  const conflicts: Conflict[] = [];
  const add = (path: readonly string[], text: string): void => {
    conflicts.push({ path, text: `${path.join('.')}: ${text}` });
  };
  if (!isLoopback(config.host) && !config.auth.enabled && !config.allow_insecure_bind) {
    add(
      ['host'],
      `without authentication only a loopback address such as 127.0.0.1 is allowed, found ${JSON.stringify(config.host)}; ` +
        'set auth.enabled with keys, or allow_insecure_bind if everybody who reaches the port may run programs here',
    );
  }
  if (
    config.cors.allow_credentials &&
    (config.cors.allowed_origins.length === 0 || config.cors.allowed_origins.includes('*'))
  ) {
    add(
      ['cors', 'allow_credentials'],
      'needs cors.allowed_origins to name the origins, such as ["https://agents.example.com"]; * is not enough',
    );
  }
  const agents = [...BUILT_IN_AGENTS, ...Object.keys(config.agents)];
  for (const [name, agent] of Object.entries(config.agents)) {
    if (agent.command === undefined && !BUILT_IN_AGENTS.includes(name)) {
      const near = closestName(name, BUILT_IN_AGENTS);
      const hint = near === null ? '' : ` (or did you mean the built-in agent ${JSON.stringify(near)}?)`;
      add(['agents', name], `"command" is missing, expected the program to run${hint}`);
    }
  }
  if (config.default_agent !== 'auto' && !agents.includes(config.default_agent)) {
    const near = closestName(config.default_agent, agents);
    const hint = near === null ? '' : `; did you mean ${JSON.stringify(near)}?`;
    add(['default_agent'], `expected "auto" or one of ${agents.join(', ')}${hint}`);
  }
  const { persistence, store } = config;
  if (persistence.backend === 'postgres' && store.url === null) {
    add(
      ['persistence', 'backend'],
      'postgres needs store.url, such as postgres://user:password@host:5432/database',
    );
  }
  if (persistence.backend === 'sqlite' && store.url !== null) {
    add(
      ['persistence', 'backend'],
      'sqlite does not go with store.url; use postgres, or leave store.url out',
    );
  }
  const { github } = config;
  if ((github.app_id === null) !== (github.app_key_file === '')) {
    const [missing, present] =
      github.app_id === null ? ['app_id', 'app_key_file'] : ['app_key_file', 'app_id'];
    add(['github', missing], `is missing, but github.${present} is set; a GitHub App needs both`);
  }
  if (config.on_shutdown === 'keep' && !isPersistent(config)) {
    add(
      ['on_shutdown'],
      'keep needs persistence.enabled: without it nobody would know of the sessions afterwards',
    );
  }
  return conflicts;
}

/** What is allowed but probably not meant. */
export function findOddities(config: Config): readonly string[] {
  const { auth } = config;
  const hasKeys = auth.api_keys.length > 0 || auth.keys_file !== '';
  const oddities: string[] = [];
  // Otherwise there can be keys in the store.
  if (auth.enabled && !hasKeys && !isPersistent(config)) {
    oddities.push(
      'auth.enabled is true, but there is neither auth.api_keys nor auth.keys_file: every request is refused',
    );
  }
  if (!auth.enabled && hasKeys)
    oddities.push('there are API keys, but auth.enabled is false: no key is needed');
  if (!auth.enabled && !isLoopback(config.host)) {
    oddities.push(
      `authentication is off and ${config.host} may be reached by others: they can run programs here`,
    );
  }
  if (auth.keys_file !== '' && auth.api_keys.length > 0) {
    oddities.push('auth.keys_file replaces auth.api_keys: the keys in the configuration are not used');
  }
  if (config.store.url !== null && !isPersistent(config)) {
    oddities.push('store.url is not used: persistence is off, everything is kept in memory');
  }
  const { github } = config;
  for (const name of ['api_url', 'url'] as const) {
    if (github[name] === '') continue;
    const { protocol, hostname } = new URL(github[name]);
    if (protocol === 'http:' && !isLoopback(hostname)) {
      oddities.push(`github.${name} is not encrypted: everybody on the way can read the tokens`);
    }
  }
  if (!config.persistence.encrypt_sensitive_data) {
    oddities.push('persistence.encrypt_sensitive_data is false, but secrets are encrypted always');
  }
  return oddities;
}
