import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCli, type CliRun } from './support/cli-harness.ts';
import { asRecord, eventually, openStream, type Reply } from './support/http-harness.ts';

const MENU_AGENT = fileURLToPath(new URL('support/menu-agent.mjs', import.meta.url));
const PROBLEM = 'application/problem+json';

function runMenu(flags: readonly string[], serverFlags: readonly string[] = []): Promise<CliRun> {
  const server = ['server', '--port', '0', '--type', 'claude', '--term-height', '40', ...serverFlags];
  return runCli([...server, '--', process.execPath, MENU_AGENT, ...flags]);
}

interface ShownDialog {
  readonly id: string;
  readonly text: string;
  readonly choices: readonly unknown[];
}

async function dialogOf(run: CliRun): Promise<ShownDialog | null> {
  const { dialog } = (await run.call({ path: '/internal/dialog' })).json();
  if (dialog === null) return null;
  const { id, text, choices } = asRecord(dialog);
  if (typeof id !== 'string' || typeof text !== 'string' || !Array.isArray(choices))
    throw new Error('dialog');
  return { id, text, choices };
}

/** Waits for a dialog that asks `question`. */
async function untilAsked(run: CliRun, question: string): Promise<ShownDialog> {
  let found: ShownDialog | null = null;
  await eventually(async () => (found = await dialogOf(run))?.text.includes(question) === true);
  return found ?? { id: '', text: '', choices: [] };
}

function post(run: CliRun, path: string, body: object): Promise<Reply> {
  return run.call({ method: 'POST', path, body: JSON.stringify(body) });
}

async function status(run: CliRun): Promise<Record<string, unknown>> {
  const { $schema: _schema, ...members } = (await run.call({ path: '/status' })).json();
  return members;
}

/** The text of the last message, without the blanks that fill its rows. */
async function lastText(run: CliRun): Promise<string> {
  const { messages } = (await run.call({ path: '/messages' })).json();
  if (!Array.isArray(messages)) throw new Error('no messages');
  return String(asRecord(messages.at(-1))['content']).replaceAll(/ +$/gmu, '');
}

/** Waits for the agent to take messages, and sends one. */
async function say(run: CliRun, content: string): Promise<void> {
  await eventually(async () => (await status(run))['status'] === 'stable');
  expect((await post(run, '/message', { type: 'user', content })).status).toBe(200);
}

describe.concurrent('a dialog of the agent', () => {
  test('one at the start is reported, refuses messages, and is answered; then messages are taken', async () => {
    await using run = await runMenu(['--trust']);
    const dialog = await untilAsked(run, 'Do you trust this folder?');
    expect(dialog).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/u),
      text: 'Welcome.\n\nDo you trust this folder?\n❯ 1. Yes\n  2. Yes, and always\n  3. No',
      choices: [
        { label: 'Yes', keys: ['\r'] },
        { label: 'Yes, and always', keys: ['\x1b[B', '\r'] },
        { label: 'No', keys: ['\x1b[B', '\x1b[B', '\r'] },
      ],
    });

    const refused = await post(run, '/message', { type: 'user', content: 'hello' });
    expect([refused.status, refused.headers['content-type']]).toEqual([500, PROBLEM]);
    expect(refused.json()).toMatchObject({
      detail: 'unexpected error occurred',
      errors: [
        {
          message: expect.stringMatching(
            /^failed to send message: message can only be sent when the agent is waiting for user input; a dialog is up .*GET \/internal\/dialog.*raw messages$/u,
          ),
        },
      ],
    });

    const answered = await post(run, `/internal/dialog/${dialog.id}`, { choice: 1 });
    expect([answered.status, answered.json()]).toEqual([200, { ok: true }]);
    await say(run, 'hello');
    await eventually(async () => (await lastText(run)) === 'You said: hello');
    expect(await dialogOf(run)).toBeNull();
    const { messages } = (await run.call({ path: '/messages' })).json();
    expect(JSON.stringify(messages)).toContain('Trusted: Yes, and always');
  });

  test('one in the middle of a turn is answered with raw keys, as GET tells them', async () => {
    await using run = await runMenu([]);
    await say(run, 'ask');
    const asked = await untilAsked(run, 'Delete file 1?');
    const keys = asRecord(asked.choices[2])['keys'];
    if (!Array.isArray(keys)) throw new Error('no keys');
    let shown = asked.text;
    for (const key of keys) {
      expect((await post(run, '/message', { type: 'raw', content: String(key) })).status).toBe(200);
      if (key === keys.at(-1)) break;
      // While the agent paints it again no dialog is up; a key sent then would arrive together with this one.
      await eventually(async () => {
        const now = (await dialogOf(run))?.text ?? shown;
        const moved = now !== shown;
        shown = now;
        return moved;
      });
    }
    await eventually(async () => (await lastText(run)).endsWith('Answer 1: No'));
  });

  test('an answer is for the dialog that was seen, not for the one after it', async () => {
    await using run = await runMenu([]);
    await say(run, 'ask twice');
    const first = await untilAsked(run, 'Delete file 1?');
    expect((await post(run, `/internal/dialog/${first.id}`, { choice: 0 })).status).toBe(200);
    const second = await untilAsked(run, 'Delete file 2?');
    const late = await post(run, `/internal/dialog/${first.id}`, { choice: 0 });
    expect([late.status, late.json()]).toMatchObject([409, { detail: 'another dialog is up' }]);
    expect((await post(run, `/internal/dialog/${second.id}`, { choice: 2 })).status).toBe(200);
    await eventually(async () => (await lastText(run)).endsWith('Answer 1: Yes\n\nAnswer 2: No'));
    const none = await post(run, `/internal/dialog/${second.id}`, { choice: 0 });
    expect([none.status, none.json()]).toMatchObject([409, { detail: 'no dialog is up' }]);
  });

  test('of two answers at once to one dialog the second is refused, and the next dialog stays up', async () => {
    await using run = await runMenu(['--slow', 'keys']);
    await say(run, 'ask twice');
    const { id } = await untilAsked(run, 'Delete file 1?');
    const answers = await Promise.all([1, 2].map(() => post(run, `/internal/dialog/${id}`, { choice: 0 })));
    const refused = answers.filter(({ status: code }) => code !== 200);
    expect(refused.map((reply) => [reply.status, reply.json()['detail']])).toEqual([
      [409, 'another answer to the dialog came first'],
    ]);
    const second = await untilAsked(run, 'Delete file 2?');
    expect(await readFile(join(run.folder, 'keys'), 'utf8')).toBe('"\\r"\n');
    expect((await post(run, `/internal/dialog/${second.id}`, { choice: 2 })).status).toBe(200);
    await eventually(async () => (await lastText(run)).endsWith('Answer 1: Yes\n\nAnswer 2: No'));
  });

  test('an agent that does not listen yet when its dialog is up gets the arrow again', async () => {
    await using run = await runMenu(['--drowsy']);
    await say(run, 'ask');
    const { id } = await untilAsked(run, 'Delete file 1?');
    expect((await post(run, `/internal/dialog/${id}`, { choice: 2 })).status).toBe(200);
    await eventually(async () => (await lastText(run)).endsWith('Answer 1: No'));
  });

  test.each([
    ['loses an Enter that comes right behind another key', '--hasty'],
    ['is held up, so that an arrow is pressed twice', '--held-up'],
  ])('an agent that %s takes the choice that was meant', async (_what, flag) => {
    await using run = await runMenu([flag]);
    await say(run, 'ask');
    const { id } = await untilAsked(run, 'Delete file 1?');
    expect((await post(run, `/internal/dialog/${id}`, { choice: 1 })).status).toBe(200);
    await eventually(async () => (await lastText(run)).endsWith('Answer 1: Yes, and always'));
  });

  test('a wrong choice is 422, and an agent that does not react is 500', async () => {
    await using run = await runMenu(['--trust', '--deaf']);
    const { id } = await untilAsked(run, 'Do you trust this folder?');
    for (const body of [{ choice: 3 }, { choice: -1 }, { choice: '0' }, {}, { choice: 0, more: 1 }]) {
      const reply = await post(run, `/internal/dialog/${id}`, body);
      expect([reply.status, reply.headers['content-type']]).toEqual([422, PROBLEM]);
    }
    const deaf = await post(run, `/internal/dialog/${id}`, { choice: 0 });
    expect([deaf.status, deaf.json()]).toMatchObject([
      500,
      { errors: [{ message: 'the dialog did not react to the keys' }] },
    ]);
  });
});

describe.concurrent('a raw message that is longer than what a terminal holds', () => {
  const serve = (code: string): Promise<CliRun> =>
    runCli(['server', '--port', '0', '--term-height', '24', '--', process.execPath, '-e', code]);
  const raw = async (run: CliRun, content: string): Promise<Reply> =>
    post(run, '/message', { type: 'raw', content });

  test('AA-050: to an agent that does not read holds nothing up, and is refused when too much waits', async () => {
    await using run = await serve(
      'process.stdin.setRawMode(true); setInterval(() => {}, 60_000); console.log("deaf")',
    );
    await eventually(async () => (await lastText(run)).includes('deaf'));
    expect((await raw(run, 'x'.repeat(200_000))).status).toBe(200);
    expect((await status(run))['transport']).toBe('pty');
    const megabyte = 'x'.repeat(1_000_000);
    for (let sent = 1; sent <= 4; sent += 1) expect((await raw(run, megabyte)).status).toBe(200);
    const refused = await raw(run, megabyte);
    expect([refused.status, refused.text]).toEqual([500, expect.stringContaining('does not read')]);
    run.kill('SIGTERM');
    expect((await run.ended).code).toBe(0);
  });

  test('to an agent that answers each piece before it reads the next one arrives whole and in order', async () => {
    await using run = await serve(`
      const { createHash } = require('node:crypto');
      const hash = createHash('sha256');
      process.stdin.setRawMode(true).on('data', (data) => {
        hash.update(data);
        process.stdout.write(data);
        if (data.includes('!')) process.stdout.write('\\r\\n' + hash.digest('hex'));
      });
      console.log('ready');
    `);
    await eventually(async () => (await lastText(run)).includes('ready'));
    const long = Array.from({ length: 40_000 }, (_, index) => String(index).padStart(5, ' ')).join('');
    for (const content of [long, 'after it', '!']) expect((await raw(run, content)).status).toBe(200);
    const digest = createHash('sha256').update(`${long}after it!`).digest('hex');
    await eventually(async () => (await lastText(run)).includes(digest));
  });
});

test('an agent that leaves its own screen at its end does not take its last answer with it', async () => {
  const tui = fileURLToPath(new URL('support/tui-agent.mjs', import.meta.url));
  const server = ['server', '--port', '0', '--term-height', '24', '--state-file', 'DIR/state.json'];
  await using run = await runCli([...server, '--', process.execPath, tui, '--alternate']);
  await say(run, 'hello');
  await eventually(async () => (await status(run))['status'] === 'stable');
  await using stream = await openStream(await run.port(), '/events');
  const known = await stream.until((events) => JSON.stringify(events).includes('You said: hello'));
  expect((await post(run, '/message', { type: 'raw', content: '\x03' })).status).toBe(200);
  await run.ended;
  const later = stream.events().slice(known.length);
  expect(later.filter(({ event }) => event === 'message_update')).toEqual([]);
  const { messages } = asRecord(JSON.parse(await readFile(join(run.folder, 'state.json'), 'utf8')));
  if (!Array.isArray(messages)) throw new Error('no messages');
  expect(messages.map((message) => String(asRecord(message)['message']).trim())).toEqual([
    'Welcome.',
    'hello',
    'You said: hello',
  ]);
});

describe.concurrent('AA-173: more than agentapi tells', () => {
  test('by default nothing of it is seen', async () => {
    await using run = await runMenu(['--trust']);
    await untilAsked(run, 'Do you trust this folder?');
    expect(await status(run)).toEqual({ status: 'running', agent_type: 'claude', transport: 'pty' });
  });

  test('with --extended-api the status says what the agent waits for, and refusals have their own codes', async () => {
    await using run = await runMenu(['--trust'], ['--extended-api']);
    const { id } = await untilAsked(run, 'Do you trust this folder?');
    expect(await status(run)).toEqual({
      status: 'running',
      agent_type: 'claude',
      transport: 'pty',
      waiting_for: 'dialog',
    });
    const refused = await post(run, '/message', { type: 'user', content: 'hello' });
    expect([refused.status, refused.json()]).toMatchObject([409, { detail: 'a dialog is up' }]);
    const empty = await post(run, '/message', { type: 'user', content: ' ' });
    expect([empty.status, empty.json()]).toMatchObject([
      422,
      {
        errors: [{ message: 'failed to send message: message must not be empty', location: 'body.content' }],
      },
    ]);
    await post(run, `/internal/dialog/${id}`, { choice: 0 });
    expect((await status(run))['waiting_for']).toBeNull();
    const early = await post(run, '/message', { type: 'user', content: 'hello' });
    expect([early.status, early.json()]).toMatchObject([409, { detail: 'the agent is busy' }]);
    await eventually(async () => (await status(run))['waiting_for'] === 'message');
    expect((await status(run))['status']).toBe('stable');
  });
});

describe.concurrent('AA-169: POST /internal/resize', () => {
  test('gives the terminal of the agent another size', async () => {
    await using run = await runCli([
      'server',
      '--port',
      '0',
      '--',
      'sh',
      '-c',
      'while stty size; do sleep 0.1; done',
    ]);
    expect((await post(run, '/internal/resize', { columns: 132, rows: 43 })).json()).toEqual({ ok: true });
    await eventually(async () => (await lastText(run)).includes('43 132'));
  });

  test('refuses what is no size, and every method but POST', async () => {
    await using run = await runMenu([]);
    for (const body of [
      { columns: 9, rows: 24 },
      { columns: 80, rows: 2_001 },
      { columns: 80.5, rows: 24 },
      { columns: 80 },
      { columns: 80, rows: 24, depth: 1 },
    ]) {
      const reply = await post(run, '/internal/resize', body);
      expect([reply.status, reply.json()]).toMatchObject([422, { detail: 'validation failed' }]);
    }
    const wrong = await run.call({ path: '/internal/resize' });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST']);
  });

  test('follows the rules of every other route: Host check and token', async () => {
    await using run = await runMenu([]);
    const body = JSON.stringify({ columns: 80, rows: 24 });
    const foreign = {
      method: 'POST',
      path: '/internal/resize',
      body,
      headers: { host: 'elsewhere.example' },
    };
    expect((await run.call(foreign)).status).toBe(400);
    await using supervised = await runCli(['server', '--control-fd', '3', '--', 'cat'], { supervised: true });
    supervised.channel.send({ kind: 'serve', port: 0, token: 'a-token-of-this-test' });
    await supervised.channel.next('listening');
    expect((await post(supervised, '/internal/resize', { columns: 80, rows: 24 })).status).toBe(401);
    expect((await supervised.call({ path: '/internal/dialog' })).status).toBe(401);
  });
});

describe.concurrent('GET /internal/terminal', () => {
  const SHELL =
    'printf "\\033[31mred\\033[0m\\n"; while read line; do printf "\\033[32m<%s>\\033[0m\\n" "$line"; done';

  test('shows the real screen first, then what the program prints, and a repaint after a resize', async () => {
    await using run = await runCli(['server', '--port', '0', '--term-height', '24', '--', 'sh', '-c', SHELL]);
    await eventually(async () => (await lastText(run)).includes('red'));
    await using stream = await openStream(await run.port(), '/internal/terminal');
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream']);
    const [first] = await stream.until((events) => events.length > 0);
    expect(first).toMatchObject({ event: 'repaint', data: { columns: 80, rows: 24 } });
    expect(JSON.stringify(first?.data)).toContain(String.raw`\u001b[31mred`);

    expect((await post(run, '/message', { type: 'raw', content: 'hi\r' })).status).toBe(200);
    const printed = await stream.until((events) => JSON.stringify(events).includes(String.raw`[32m<hi>`));
    expect(printed.slice(1).map(({ event }) => event)).not.toContain('repaint');

    await post(run, '/internal/resize', { columns: 40, rows: 12 });
    const resized = await stream.until(
      (events) => events.filter(({ event }) => event === 'repaint').length > 1,
    );
    expect(resized.findLast(({ event }) => event === 'repaint')?.data).toMatchObject({
      columns: 40,
      rows: 12,
    });
  });

  test('there is no other method', async () => {
    await using run = await runMenu([]);
    const wrong = await post(run, '/internal/terminal', {});
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET']);
  });
});
