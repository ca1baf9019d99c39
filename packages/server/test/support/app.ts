import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerCheck } from '../../../../test/support/answer-check.ts';
import { createApp } from '../../src/app.ts';
import type { AppOverrides } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { DeclaredRoute } from '../../src/http/control-server.ts';
import { createLogger } from '../../src/log.ts';

/** A server in this process, on a free port, with a data folder of its own. */
export interface TestApp extends AsyncDisposable {
  readonly url: string;
  /** Everything logged so far. */
  log(): string;
  /** What the server answers, as declared. */
  readonly routes: readonly DeclaredRoute[];
  /** What SIGHUP does. */
  reload(): Promise<void>;
  request(path: string, init?: RequestInit): Promise<Response>;
}

/**
 * Starts the server in this process. Sessions cannot be started in it: their agent servers are programs of the
 * build; tests of sessions use the built server.
 */
export async function startApp(config: object = {}, overrides: AppOverrides = {}): Promise<TestApp> {
  const folder = await mkdtemp(join(tmpdir(), 'app-test-'));
  const settings = { port: 0, data_dir: join(folder, 'data'), default_agent: 'demo', log_level: 'debug' };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...settings, ...config }));
  const loaded = loadConfig({ environment: {}, workingDirectory: folder });
  const lines: string[] = [];
  const log = await createLogger(loaded.config, { write: (line) => lines.push(line) });
  const app = await createApp(loaded.config, log, overrides);
  const close = async (): Promise<void> => {
    await app.close('the test is over');
    await rm(folder, { recursive: true });
  };
  const { url } = await app.start().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  answerCheck.watch(url, false);
  return {
    url,
    routes: app.routes(),
    reload: () => app.reload(),
    log: () => lines.join(''),
    request: (path, init) => fetch(`${url}${path}`, init),
    [Symbol.asyncDispose]: close,
  };
}
