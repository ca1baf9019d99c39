import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCli, type CliRun } from './support/cli-harness.ts';

const ACP_AGENT = fileURLToPath(new URL('support/acp-agent.mjs', import.meta.url));
/** Node reads this, and fails to write it. */
const NESTED = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** The server with an agent that only waits. */
function serve(): Promise<CliRun> {
  return runCli(['server', '--port', '0', '--', 'cat']);
}

async function expectServing(run: CliRun): Promise<void> {
  expect((await run.call({ path: '/status' })).status).toBe(200);
}

describe.concurrent('no request ends the server', () => {
  test.each([
    ['a file of another name', 'name="other"; filename="a"'],
    ['the file', 'name="file"; filename="a"'],
    ['a field', 'name="file"'],
  ])('AA-055: an upload that breaks off in %s is 422', async (_, disposition) => {
    await using run = await serve();
    const reply = await run.call({
      method: 'POST',
      path: '/upload',
      headers: { 'Content-Type': 'multipart/form-data; boundary=X' },
      body: `--X\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nabc`,
    });
    expect([reply.status, reply.json()]).toMatchObject([
      422,
      { errors: [{ message: expect.stringContaining('cannot read multipart form') }] },
    ]);
    await expectServing(run);
  });

  test('AA-046: JSON that is nested too deeply to be repeated is 422', async () => {
    await using run = await serve();
    const bodies = [
      ['/message', `{"type":"user","content":${NESTED}}`],
      ['/message', `{"type":"user","content":"x","more":${NESTED}}`],
      ['/message', NESTED],
      ['/internal/resize', `{"columns":${NESTED},"rows":24}`],
      ['/internal/resize', `{"columns":80,"rows":24,"more":${NESTED}}`],
    ] as const;
    for (const [path, body] of bodies) {
      const reply = await run.call({ method: 'POST', path, body });
      expect([reply.status, reply.json()]).toMatchObject([422, { detail: 'validation failed' }]);
    }
    await expectServing(run);
  });

  test('AA-149: the same in an answer to an agent that speaks ACP', async () => {
    const command = `echo '[]' > script.json; exec '${process.execPath}' '${ACP_AGENT}' script.json`;
    await using run = await runCli([
      'server',
      '--port',
      '0',
      '--experimental-acp',
      '--',
      'sh',
      '-c',
      command,
    ]);
    for (const body of [NESTED, `{"option_id":${NESTED}}`]) {
      const reply = await run.call({ method: 'POST', path: '/acp/permissions/1', body });
      expect([reply.status, reply.json()]).toMatchObject([422, { errors: [{ location: 'body' }] }]);
    }
    await expectServing(run);
  });

  test('AA-046: a body with a mistake in each of 20,000 members is 422, and the answer stays small', async () => {
    await using run = await serve();
    const members = Array.from({ length: 20_000 }, (_, i) => [`member-${i}`, i]);
    const body = JSON.stringify({ type: 'user', content: 'x', ...Object.fromEntries(members) });
    const reply = await run.call({ method: 'POST', path: '/message', body });
    expect(reply.status).toBe(422);
    expect(reply.json()['errors']).toHaveLength(100);
    expect(reply.text.length).toBeLessThan(20_000);
    await expectServing(run);
  });
});
