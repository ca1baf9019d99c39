import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { RootLog } from '../log.ts';
import { AppTokens } from './github/app-tokens.ts';
import type { ServerCredentials } from './github/credentials.ts';
import { forgeOf } from './github/forge.ts';
import { Repositories } from './repositories.ts';

const HOUR_MS = 3_600_000;

/** What brings repositories in, as the configuration says. */
export function createRepositories(config: Config, log: RootLog): Repositories {
  const { github } = config;
  return new Repositories({
    forge: forgeOf(github.api_url, github.url),
    credentials: serverCredentials(config, log),
    environment: { ...config.inherited_environment, ...config.environment.set },
    mirrorsFolder: join(config.data_dir, 'repositories'),
    mirrorMaxAgeMs: github.cache_hours * HOUR_MS,
    mirrorMaxBytes: github.cache_bytes,
    cloneTimeoutMs: github.clone_timeout_seconds * 1000,
    agentCredentials: github.agent_credentials,
    log: log.child({ module: 'repositories' }),
  });
}

function serverCredentials({ github }: Config, log: RootLog): ServerCredentials {
  const {
    token,
    app_id: appId,
    app_key_file: keyFile,
    installation_id: installationId,
    api_url: apiUrl,
  } = github;
  const app =
    appId === null
      ? null
      : new AppTokens({ apiUrl, appId, keyFile, installationId }, (made) => log.secrets.add(made));
  return { token: token?.reveal() ?? null, app };
}
