import { ConfigError } from '../config/config-error.ts';
import { isPersistent } from '../config/consistency.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { EXIT } from './cli-context.ts';
import type { CliContext } from './cli-context.ts';

export interface StoreConfigOptions {
  /** Path of the configuration file, if one was named. */
  readonly file: string | undefined;
  /** What to say when there is no store. */
  readonly withoutStore: string;
  /** Exit code of an error whose message is for the user; `null` for all others, which are thrown on. */
  readonly codeOf: (error: Error) => number | null;
}

/**
 * Runs a command that works on the store of a configuration.
 * @returns its exit code: {@link EXIT.badConfiguration} when the configuration is wrong or keeps nothing.
 */
export async function withStoreConfig(
  context: CliContext,
  { file, withoutStore, codeOf }: StoreConfigOptions,
  work: (config: Config) => Promise<void>,
): Promise<number> {
  const complain = (text: string): void => {
    for (const line of text.split('\n')) context.stderr.write(`agentapi-proxy: ${line}\n`);
  };
  try {
    const { environment, workingDirectory } = context;
    const { config } = loadConfig({ environment, workingDirectory, file, flags: {} });
    if (!isPersistent(config)) {
      complain(withoutStore);
      return EXIT.badConfiguration;
    }
    await work(config);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = error instanceof ConfigError ? EXIT.badConfiguration : codeOf(error);
    if (code === null) throw error;
    complain(error.message);
    return code;
  }
}
