import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, testedBlock } from '../support/documents.ts';
import { ServerSeries } from '../support/server-series.ts';

const NAMED_ADDRESS = 'http://127.0.0.1:8080';

test('docs/tutorial.md, followed step by step', { timeout: 240_000 }, async () => {
  const home = await mkdtemp(join(tmpdir(), 'agentapi-proxy-tutorial-'));
  await using servers = await ServerSeries.start();
  const follow = async (step: string): Promise<string> => {
    const script = (await testedBlock('docs/tutorial.md', step)).replaceAll(
      NAMED_ADDRESS,
      servers.server.url,
    );
    const { PATH = '' } = process.env;
    const env = { PATH: `${join(ROOT, 'bin')}:${PATH}`, HOME: home, LANG: 'C.UTF-8' };
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', script], {
      cwd: home,
      env,
      encoding: 'utf8',
    });
    expect({ step, status, stderr }).toMatchObject({ step, status: 0 });
    return stdout;
  };
  try {
    await follow('context');
    const both = await follow('two agents');
    expect(both).toContain('You said: Which tests are slow?\nYou said: Which pages are out of date?\n');
    expect(both).toMatch(/task=docs[^]*task=tests/);
    const conversation = await follow('over HTTP');
    expect(conversation).toContain('Which pages are out of date?');
    expect(conversation).not.toContain('Which tests are slow?');
    expect(await follow('profile')).toContain('Reviews');

    await servers.stop();
    await servers.next();
    // The port has changed, which it does not for a reader.
    await follow('context');
    const after = await follow('after the restart');
    expect(after).toContain('You said: Which tests are slow?');
    expect(after).toContain('Review src/app.ts for races.');

    await follow('end');
    expect(await servers.server.sessionProcesses()).toEqual([]);
  } finally {
    await rm(home, { recursive: true });
  }
});
