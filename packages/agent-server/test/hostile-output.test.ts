import { describe, expect, test } from 'vitest';
import { runCli, type CliRun } from './support/cli-harness.ts';
import { asRecord, eventually } from './support/http-harness.ts';

/** The server with an agent that prints something, `alive` on a line of its own, and then waits. */
function runPrinting(script: string): Promise<CliRun> {
  return runCli([
    'server',
    '--port',
    '0',
    '--',
    'sh',
    '-c',
    `${script}; printf '\\r\\nalive\\r\\n'; exec cat`,
  ]);
}

/** What is on the screen, once the agent has printed all. */
async function untilAlive(run: CliRun): Promise<string> {
  let text = '';
  await eventually(async () => {
    const { messages } = (await run.call({ path: '/messages' })).json();
    text = Array.isArray(messages) ? String(asRecord(messages[0])['content']) : '';
    return /^alive *$/mu.test(text);
  });
  expect((await run.call({ path: '/status' })).status).toBe(200);
  return text;
}

describe.concurrent('no output of the agent ends the server or keeps it from answering', () => {
  const FINALS = ['S', 'T', 'L', 'M', 'I', 'Z', 'b', '@', 'P', 'X'];

  test('numbers beyond every screen', async () => {
    const sequences = FINALS.map((final) => `printf 'x\\033[2147483647${final}'`);
    await using run = await runPrinting(sequences.join('; '));
    expect(await untilAlive(run)).toContain('alive');
  });

  test('the same, written in two pieces', async () => {
    const sequences = FINALS.slice(0, 3).map(
      (final) => `printf 'x\\033[21474'; sleep 0.1; printf '83647${final}'`,
    );
    await using run = await runPrinting(sequences.join('; '));
    expect(await untilAlive(run)).toContain('alive');
  });

  test.each([
    ['scrolling and moving rows', String.raw`\033[9999S\033[9999L\033[9999M\033[9999T`],
    ['resetting, switching buffers, filling, erasing', String.raw`\033c\033[?47h\033#8\033[?47l\033[H\033[J`],
  ])('%s without end: the server answers meanwhile, and ends when it is told', async (_, sequences) => {
    await using run = await runCli([
      ...['server', '--port', '0', '--term-width', '1000', '--'],
      ...['sh', '-c', `printf started; exec yes "$(printf '${sequences}')"`],
    ]);
    await eventually(async () => (await run.call({ path: '/status' })).status === 200);
    for (let count = 0; count < 5; count += 1) {
      expect((await run.call({ path: '/status' })).status).toBe(200);
    }
    run.kill('SIGTERM');
    expect((await run.ended).code).toBe(0);
  });

  test('an agent that ends by itself is not waited for until all of it shows', async () => {
    const script = `yes "$(printf '\\033[999S')" | head -c 100000`;
    await using run = await runCli([
      'server',
      '--port',
      '0',
      '--term-width',
      '1000',
      '--',
      'sh',
      '-c',
      script,
    ]);
    expect((await run.ended).code).toBe(0);
  });

  test('a sequence without end: what comes after its first 4 Ki characters is shown', async () => {
    await using run = await runPrinting(`printf '\\033['; yes 1 | head -c 50000`);
    expect(await untilAlive(run)).toMatch(/^1 *\n1 *\n/mu);
  });

  test('marks without end on one character: the first 32 are shown', async () => {
    const marks = `printf a; yes "$(printf '\\314\\201')" | head -c 30000 | tr -d '\\n'`;
    await using run = await runPrinting(marks);
    expect(await untilAlive(run)).toMatch(/^a\u0301{32} *$/mu);
  });
});
