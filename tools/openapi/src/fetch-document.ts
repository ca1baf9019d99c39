import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A cold start takes a second or two; this only keeps a broken one from holding up the build. */
const START_TIMEOUT_MS = 60_000;

/** Starts the server with its default configuration, asks it for its document, and ends it. */
export async function fetchDocument(command: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openapi-'));
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify({ port: 0, data_dir: join(folder, 'data'), default_agent: 'demo' }));
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn(command, ['server', '--config', config], {
    cwd: folder,
    env: { PATH, HOME },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const watchdog = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  try {
    const url = await listeningUrl(createInterface({ input: child.stderr }));
    const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`GET /openapi.json: ${response.status} ${await response.text()}`);
    return `${JSON.stringify(await response.json(), null, 2)}\n`;
  } finally {
    child.kill('SIGTERM');
    await exited;
    clearTimeout(watchdog);
    await rm(folder, { recursive: true, force: true });
  }
}

async function listeningUrl(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /"url":"(http:[^"]+)".*"server listening"/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the server ended before it listened');
}
