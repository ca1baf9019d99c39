import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDED } from '../support/differential/agentapi-program.ts';
import { recordEvents } from '../support/differential/event-recorder.ts';
import { agent, untilStable, withServer } from '../support/differential/scenario.ts';
import { ROOT } from '../support/documents.ts';
import { rawRequest } from '../support/raw-request.ts';

const [node = '', program = ''] = EMBEDDED.command;

describe('docs/agent-server.md', () => {
  let document: string;
  beforeAll(async () => {
    document = await readFile(join(ROOT, 'docs/agent-server.md'), 'utf8');
  });

  test('has every flag, its short form and its default, and no other', async () => {
    const { stdout } = await promisify(execFile)(node, [program, 'server', '--help']);
    const rows = Array.from(
      document.matchAll(/^\| `(--[^|]*?)` \|([^|]*)\|/gmu),
      ([, names = '', value = '']) => ({
        names: names.split('`, `').toReversed().join(', '),
        value: value.trim().replaceAll('`', ''),
      }),
    );
    const flags = Array.from(
      stdout.matchAll(/^ {2}(?:(-\w), | {4})(--[\w-]+)(?: \w+)? +.*?(?: \(default:? (.*?)\))?$/gmu),
      ([, short, name = '', value = '']) => ({
        names: short === undefined ? name : `${short}, ${name}`,
        value,
      }),
    );
    expect(flags.length).toBeGreaterThan(15);
    const byName = (a: { names: string }, b: { names: string }): number => (a.names < b.names ? -1 : 1);
    expect(rows.sort(byName)).toEqual(flags.sort(byName));
  });

  test('names only routes that exist', async () => {
    await withServer(EMBEDDED, { agent: agent('echo') }, async (server) => {
      await using events = await recordEvents(server, '/events');
      await untilStable(events);
      const routes = Array.from(
        document.matchAll(/`(GET|POST) (\/[^\s`]+)`/gu),
        ([, method = '', path = '']) => ({
          method,
          path,
        }),
      ).filter(({ path }) => !path.startsWith('/acp/') && !/^\/(?:events|internal\/screen)$/u.test(path));
      expect(routes.length).toBeGreaterThan(5);
      for (const { method, path } of routes) {
        const { status } = await rawRequest(server.port, {
          method,
          path: path.replace('{id}', 'x'),
          body: '',
        });
        expect(`${method} ${path}: ${status}`).not.toMatch(/: 40[45]$/u);
      }
    });
  });
});
