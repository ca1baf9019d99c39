import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { RootLog } from '../log.ts';
import { AppTokens } from './github/app-tokens.ts';
import type { ServerCredentials } from './github/credentials.ts';
import { forgeOf } from './github/forge.ts';
import { Repositories } from './repositories.ts';
import type { RepositoryRules } from './repository-rules.ts';

const HOUR_MS = 3_600_000;

/** What brings repositories in, as the configuration says. */
export function createRepositories(config: Config, log: RootLog): Repositories {
  const { github } = config;
  return new Repositories({
    forge: forgeOf(github.api_url, github.url),
    credentials: serverCredentials(github, (token) => log.secrets.add(token)),
    environment: { ...config.inherited_environment, ...config.environment.set },
    mirrorsFolder: join(config.data_dir, 'repositories'),
    mirrorMaxAgeMs: github.cache_hours * HOUR_MS,
    mirrorMaxBytes: github.cache_bytes,
    cloneTimeoutMs: github.clone_timeout_seconds * 1000,
    agentCredentials: github.agent_credentials,
    log: log.child({ module: 'repositories' }),
  });
}

/**
 * The tokens that the server has for repositories.
 * @param mask - see {@link AppTokens}.
 */
export function serverCredentials(
  github: Config['github'],
  mask: (token: string) => () => void,
): ServerCredentials {
  const { token, app_id: appId, app_key_file: keyFile, installation_id: installationId } = github;
  const settings = { apiUrl: github.api_url, keyFile, installationId };
  return {
    token: token?.reveal() ?? null,
    app: appId === null ? null : new AppTokens({ ...settings, appId }, mask),
  };
}

/**
 * How requests name repositories, as the configuration says.
 * @param isKey - whether a text is an API key of this server.
 */
export function repositoryRulesOf({ github }: Config, isKey: (text: string) => boolean): RepositoryRules {
  return {
    host: forgeOf(github.api_url, github.url).host,
    depth: github.depth === 0 ? null : github.depth,
    isKey,
  };
}
