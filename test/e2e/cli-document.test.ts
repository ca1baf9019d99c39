import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks, ROOT } from '../support/documents.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const NAMED_ADDRESS = 'http://127.0.0.1:8080';

// Each block is many processes.
describe(
  'the shell blocks of the command line’s documents, run by sh word for word',
  { timeout: 120_000 },
  () => {
    let server: ServerProcess;
    let home: string;
    beforeAll(async () => {
      server = await startServer();
      home = await mkdtemp(join(tmpdir(), 'agentapi-proxy-document-'));
    });
    afterAll(async () => {
      await server[Symbol.asyncDispose]();
      await rm(home, { recursive: true });
    });

    test.each([
      ['docs/cli.md', 'conversation', /^You said: Hello\nYou said: one line, or many\nID /],
      ['docs/cli.md', 'contexts', /^\* +local /m],
      ['docs/cli.md', 'json', /^\{\n {2}"session_id": /],
      ['docs/cli.md', 'doctor', /^✔ Node\.js/],
      ['README.md', 'command line', /^You said: Hello\nSession \S+ deleted\n$/],
    ])('%s: %s', async (file, name, expected) => {
      const blocks = (await codeBlocks(file)).filter((block) => block.name === name);
      expect(blocks).toHaveLength(1);
      const script = blocks.map(({ text }) => text.replaceAll(NAMED_ADDRESS, server.url)).join('');
      const { PATH = '' } = process.env;
      const env = {
        PATH: `${join(ROOT, 'bin')}:${PATH}`,
        HOME: home,
        LANG: 'C.UTF-8',
        AGENTAPI_PROXY_PORT: '0',
      };
      const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', script], {
        cwd: home,
        env,
        encoding: 'utf8',
      });
      expect({ status, complaints: stderr.match(/error/gi) }).toEqual({ status: 0, complaints: null });
      expect(stdout).toMatch(expected);
    });
  },
);
