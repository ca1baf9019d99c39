import { describe, expect, test } from 'vitest';
import { runCli, type CliRun } from './support/cli-harness.ts';

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
});
