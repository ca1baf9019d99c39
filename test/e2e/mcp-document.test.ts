import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findPart, INSPECTOR_PACKAGE } from '../../tools/src/outside-parts.ts';
import { ROLE_PERMISSIONS } from '../../packages/server/src/auth/permissions.ts';
import { ROOT, testedBlock } from '../support/documents.ts';
import { connectMcp } from '../support/mcp.ts';
import type { McpConnection } from '../support/mcp.ts';
import { COMMAND, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const KEY = 'ap_alice_0123456789abcdef0123456789abcdef';
const PAGE = 'docs/mcp.md';

const inspector = findPart('inspector');
/** Each call of the inspector starts two programs. */
const INSPECTOR_TIMEOUT_MS = 120_000;

const stdioSchema = z.object({
  mcpServers: z.object({
    'agentapi-proxy': z.object({
      command: z.string(),
      args: z.array(z.string()),
      env: z.record(z.string(), z.string()),
    }),
  }),
});
const httpSchema = z.object({
  mcpServers: z.object({
    'agentapi-proxy': z.object({
      type: z.literal('http'),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
    }),
  }),
});

let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-document-'));
  server = await startServer({
    config: {
      auth: {
        enabled: true,
        api_keys: [{ key: KEY, user_id: 'alice', role: 'user', permissions: ROLE_PERMISSIONS.user }],
      },
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** What a reader fills in: the address of the server and the key. */
function filledIn(text: string): string {
  return text.replaceAll('http://127.0.0.1:8080', server.url).replaceAll('"KEY"', JSON.stringify(KEY));
}

/** The command is found where it is installed. */
function environment(): Record<string, string> {
  return { PATH: [dirname(COMMAND), process.env['PATH'] ?? ''].join(delimiter), HOME: folder };
}

async function startProgram(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<McpConnection> {
  const all = { ...environment(), ...env };
  return connectMcp(
    new StdioClientTransport({ command, args, env: all, cwd: folder, stderr: 'ignore' }),
    '2025',
  );
}

describe('the configurations of clients in docs/mcp.md', () => {
  test('over standard input and output', async () => {
    const text = filledIn(await testedBlock(PAGE, 'over standard input and output'));
    const { command, args, env } = stdioSchema.parse(JSON.parse(text)).mcpServers['agentapi-proxy'];
    await using mcp = await startProgram(command, args, env);
    expect((await mcp.call('list_sessions')).failed).toBe(false);
  });

  test('of Codex', async () => {
    const text = filledIn(await testedBlock(PAGE, 'codex'));
    const valueOf = (name: string): string => new RegExp(`^${name} = (.*)$`, 'm').exec(text)?.[1] ?? '';
    const args = z.array(z.string()).parse(JSON.parse(valueOf('args')));
    const env = Object.fromEntries(
      Array.from(valueOf('env').matchAll(/(\w+) = "([^"]*)"/g), ([, name = '', value = '']) => [name, value]),
    );
    await using mcp = await startProgram(z.string().parse(JSON.parse(valueOf('command'))), args, env);
    expect((await mcp.call('list_sessions')).failed).toBe(false);
  });

  test('over HTTP', async () => {
    const text = filledIn(await testedBlock(PAGE, 'over HTTP'));
    const { url, headers } = httpSchema.parse(JSON.parse(text)).mcpServers['agentapi-proxy'];
    const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
    await using mcp = await connectMcp(transport, '2025');
    expect((await mcp.call('list_sessions')).failed).toBe(false);
  });
});

test('the table of the tools in docs/mcp.md is that of the server', async () => {
  const { PATH = '' } = environment();
  await using mcp = await startProgram('agentapi-proxy', ['mcp'], { PATH });
  const { tools } = await mcp.client.listTools();
  const page = await readFile(join(ROOT, PAGE), 'utf8');
  const rows = page.slice(page.indexOf('## Tools'), page.indexOf('Answers are text')).split('\n');
  const documented = rows.flatMap((row) => {
    const [names = '', parameters = ''] = row.startsWith('| `') ? row.split(' | ') : [];
    const wanted = Array.from(parameters.matchAll(/(\*\*)?`(\w+)`/g), ([, bold, each = '']) =>
      bold === undefined ? each : `${each}!`,
    );
    return Array.from(names.matchAll(/`(\w+)`/g), ([, name = '']) => lineOf(name, wanted));
  });
  const declared = tools.map(({ name, inputSchema: { properties = {}, required = [] } }) =>
    // Described together with the other tool for profiles, which has one parameter.
    name === 'list_profiles'
      ? lineOf(name, ['profile_id!'])
      : lineOf(
          name,
          Object.keys(properties).map((each) => (required.includes(each) ? `${each}!` : each)),
        ),
  );
  expect(new Set(documented)).toEqual(new Set(declared));
});

function lineOf(tool: string, parameters: readonly string[]): string {
  return `${tool}: ${[...parameters].sort((a, b) => a.localeCompare(b)).join(' ')}`;
}

describe.skipIf(inspector === null)('the official inspector [needs inspector]', () => {
  async function sh(script: string, env: Record<string, string>): Promise<{ code: number; stdout: string }> {
    const child = spawn('sh', ['-e', '-c', script], {
      cwd: folder,
      env: { ...environment(), ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [stdout, [code]] = await Promise.all([
      child.stdout.setEncoding('utf8').toArray(),
      once(child, 'close'),
    ]);
    return { code: Number(code), stdout: stdout.join('') };
  }

  test(
    'the commands of docs/mcp.md list the tools and call one',
    { timeout: INSPECTOR_TIMEOUT_MS },
    async () => {
      const block = filledIn(await testedBlock(PAGE, 'inspector'));
      const npx = `npx -y ${INSPECTOR_PACKAGE.name}@${INSPECTOR_PACKAGE.version} `;
      expect(block).toContain(npx);
      const script = block.replaceAll(npx, `"${inspector}" `);
      const { code, stdout } = await sh(script, { KEY });
      expect(code).toBe(0);
      expect(stdout).toContain('"name": "start_session"');
      expect(stdout).toContain('0 sessions:');
    },
  );

  test(
    'it talks to /mcp, and starts and ends a session there',
    { timeout: INSPECTOR_TIMEOUT_MS },
    async () => {
      const call = async (tool: string, ...args: readonly string[]): Promise<string> => {
        const given = args.map((each) => `--tool-arg ${each}`).join(' ');
        const { code, stdout } = await sh(
          `"${inspector}" --cli ${server.url}/mcp --transport http --header "X-API-Key: ${KEY}" --method tools/call --tool-name ${tool} ${given}`,
          {},
        );
        expect([tool, code]).toEqual([tool, 0]);
        return stdout;
      };
      const id =
        /Session ID: ([0-9a-f-]{36})/.exec(await call('start_session', 'user_id=inspector'))?.[1] ?? '';
      expect(await call('wait_for_answer', `session_id=${id}`)).toContain('agentapi-proxy demo agent');
      expect(await call('delete_session', `session_id=${id}`)).toContain('terminated');
    },
  );
});
