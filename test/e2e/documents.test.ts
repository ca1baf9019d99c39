import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codeBlocks, ROOT } from '../support/documents.ts';

/** Shell blocks that no test runs as they are, by their first line, with the reason. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'README.md: make run':
    'readme.test.ts holds the Makefile to it; the tests themselves start the built server',
  'README.md: make test': 'would run this test',
  'docs/tutorial.md: make run': 'as in README.md',
  'docs/acp.md: agentapi-proxy agent server --experimental-acp --acp-permissions ask -- gemini --acp':
    'needs Gemini with an account; real-agents.test.ts starts the real program like this, with a model of its own',
  'docs/agent-server.md: agentapi-proxy agent server --port 3284 -- claude --model opus':
    'needs Claude Code with an account; cli.test.ts and attach.test.ts of the agent server do this with other agents',
  'packages/agent-server/README.md: npx --package @agentapi-proxy/agent-server agentapi-proxy-agent server -- claude':
    'installs from the registry; the tests of packed packages run what it would get',
  'packages/server/README.md: npx agentapi-proxy server': 'as above',
  "docs/operations.md: NODE_OPTIONS='--import /etc/agentapi-proxy/otel.mjs' agentapi-proxy server":
    'tracing.test.ts starts the built server with an SDK that is loaded like this',
  'docs/install.md: npm install --global agentapi-proxy':
    'installs from the registry; distribution.test.ts installs the packed packages like this',
  'docs/install.md: npm install':
    'installs for this machine; distribution.test.ts packs and installs in a folder of its own',
  'docs/install.md: docker build --tag agentapi-proxy .':
    'needs Docker; distribution.test.ts runs the steps of the Dockerfile',
  'docs/install.md: docker run --detach --name agentapi-proxy -p 8080:8080 -v $(pwd)/config.json:/app/config.json -v agentapi-data:/data agentapi-proxy server':
    'needs Docker; distribution.test.ts starts what the image holds with its environment and this configuration',
  'docs/install.md: docker run --rm -p 127.0.0.1:8080:8080 -e AGENTAPI_PROXY_ALLOW_INSECURE_BIND=true agentapi-proxy server':
    'as above',
  'docs/install.md: docker compose up --detach':
    'needs Docker; distribution.test.ts lets the reference parser read the file',
  'docs/install.md: POSTGRES_PASSWORD=a-long-random-word': 'is a file',
  'docs/install.md: useradd --system --home-dir /var/lib/agentapi-proxy --shell /usr/sbin/nologin agentapi-proxy':
    'changes the machine; distribution.test.ts lets systemd verify the unit',
  'clients/go/README.md: go mod edit -require=agentapi-proxy/clients/go@v0.1.0 -replace=agentapi-proxy/clients/go=../agentapi-proxy/clients/go':
    'go-client.test.ts writes the same into the module that it compiles the README in',
  'packages/client/README.md: npm install @agentapi-proxy/client': 'installs from the registry',
};

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'console', 'shell']);

async function markdownFiles(): Promise<readonly string[]> {
  const folders = ['docs', 'packages/client', 'packages/agent-server', 'packages/server', 'clients/go'];
  const names = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(join(ROOT, folder)).catch(() => []);
      return entries.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`);
    }),
  );
  return ['README.md', 'CONTRIBUTING.md', ...names.flat()];
}

async function testSources(): Promise<string> {
  const folders = ['test/e2e', 'test/conformance', 'packages/server/test'];
  const texts = await Promise.all(
    folders.map(async (folder) => {
      const names = (await readdir(join(ROOT, folder))).filter((name) => name.endsWith('.test.ts'));
      return Promise.all(names.map(async (name) => readFile(join(ROOT, folder, name), 'utf8')));
    }),
  );
  return texts.flat().join('\n');
}

describe('the documents', async () => {
  const files = await markdownFiles();
  const sources = await testSources();

  test.each(files)('%s: every command is run by a test, or there is a reason why not', async (file) => {
    const loose = (await codeBlocks(file))
      .filter(({ language, name }) => SHELLS.has(language) && name === null)
      .map(({ text }) => `${file}: ${text.split('\n')[0]}`)
      .filter((block) => !(block in NOT_RUN));
    expect(loose).toEqual([]);
    for (const { name } of await codeBlocks(file)) {
      // A mark that no test reads would be an empty promise.
      if (name !== null) expect(sources).toContain(`'${name}'`);
    }
  });

  test('links between them lead somewhere', async () => {
    const dead: string[] = [];
    for (const file of files) {
      const text = (await readFile(join(ROOT, file), 'utf8')).replaceAll(/^```[^]*?^```$/gmu, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/gu)) {
        if (/^[a-z]+:/u.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const named = path === '' ? file : join(file, '..', path);
        const found = await readFile(join(ROOT, named), 'utf8').catch(async () =>
          readdir(join(ROOT, named)).then(
            () => '',
            () => null,
          ),
        );
        if (found === null || (anchor !== undefined && !anchorsOf(found).has(anchor))) {
          dead.push(`${file}: ${target}`);
        }
      }
    }
    expect(dead).toEqual([]);
  });
});

/** Names that headings get from the viewers of Markdown that people use. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = Array.from(text.matchAll(/^#{1,6} (.+)$/gmu), ([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/gu, '-'),
    ),
  );
}
