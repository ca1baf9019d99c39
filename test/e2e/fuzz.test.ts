import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPart } from '../../tools/src/outside-parts.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const schemathesis = findPart('schemathesis');

const KEY = 'key-of-the-fuzzer-0123456789';

/** Every run makes the same requests: a failure can be repeated. */
const SEED = '20260101';

/** Seconds of one run, at most; on a slow machine it ends earlier in its list of requests. */
const RUN_SECONDS = 20;

/** What an answer must be: documented, in status, type, headers and body, and no failure of the server. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

/** Settings of the fuzzer. @param ids - for parameters of paths, instead of values that it makes up */
function configuration(ids: Readonly<Record<string, string>>): string {
  return [
    '[parameters]',
    ...Object.entries(ids).map(([name, id]) => `"path.${name}" = "${id}"`),
    '[checks]',
    'enabled = false',
    ...CHECKS.flatMap((check) => [`[checks.${check}]`, 'enabled = true']),
    // agentapi, and so the included agent server, answers 500 while its agent is at work.
    '[[operations]]',
    'include-path = "/{sessionId}/message"',
    '[operations.checks.not_a_server_error]',
    'enabled = false',
    '',
  ].join('\n');
}

describe.skipIf(schemathesis === null)(
  'requests made up from the OpenAPI document are answered as it says [needs schemathesis]',
  () => {
    let server: ServerProcess;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'fuzz-'));
      server = await startServer({
        config: {
          auth: {
            enabled: true,
            api_keys: [{ key: KEY, user_id: 'fuzzer', role: 'admin', permissions: ['*'] }],
          },
          // Nearly every start must be refused: a session is a process.
          limits: {
            sessions_total: 2,
            sessions_per_user: 2,
            starts_per_minute: 6,
            failed_keys_per_minute: 0,
          },
        },
      });
    });
    afterAll(async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    /** Runs the fuzzer; resolves with what it says when it has found something, else with nothing. */
    async function findings(
      ids: Readonly<Record<string, string>>,
      ...args: readonly string[]
    ): Promise<string> {
      await writeFile(join(folder, 'schemathesis.toml'), configuration(ids));
      const child = spawn(
        schemathesis ?? '',
        [
          ...['run', `${server.url}/openapi.json`, '--url', server.url, '-H', `X-API-Key: ${KEY}`],
          ...['--seed', SEED, '--generation-database', 'none', '--max-time', String(RUN_SECONDS)],
          ...['--phases', 'coverage,fuzzing', '--max-examples', '8'],
          ...['--suppress-health-check', 'all', '--warnings', 'off', '--no-color', '--continue-on-failure'],
          ...args,
        ],
        {
          cwd: folder,
          env: { PATH: process.env['PATH'] ?? '', HOME: folder },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const said: string[] = [];
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
      }
      const [code] = await once(child, 'close');
      return code === 0 ? '' : said.join('');
    }

    test('for ids that are made up', { timeout: 180_000 }, async () => {
      expect(await findings({})).toBe('');
      expect((await server.request('/livez')).status).toBe(200);
    });

    test('for a session, a profile and a key that exist', { timeout: 180_000 }, async () => {
      const client = createClient({ baseUrl: server.url, apiKey: KEY });
      for await (const { session_id: id } of client.searchAll()) await client.delete(id);
      const session = await client.start({ agent: 'demo' });
      await session.waitUntilReady();
      const { profile } = await client.profiles.create({ name: 'to change' });
      const key = await client.apiKeys.create({ name: 'to rotate' });
      const ids = { sessionId: session.id, profileId: profile.id, keyId: key.id };
      // What they are about must stay; streams last as long as the session.
      const left = ['--exclude-method', 'DELETE', '--exclude-path', '/{sessionId}/events'];
      expect(await findings(ids, '--include-path-regex', String.raw`\{`, ...left)).toBe('');
      expect((await session.details()).state).toBe('running');
    });
  },
);
