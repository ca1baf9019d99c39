import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TerminalUser } from '../../packages/agent-server/test/support/terminal-user.ts';
import { commandLine } from '../support/command-line.ts';
import type { CommandLine } from '../support/command-line.ts';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const COLOUR = /\u001b\[\d+m/;
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
const HIDES_CURSOR = '\u001b[?25l';
const SHOWS_CURSOR = '\u001b[?25h';
const ENTERS_VIEW = '\u001b[?1049h';
const LEAVES_VIEW = '\u001b[?1049l';
const DETACH_KEY = '\u001d';
const CTRL_C = '\u0003';

// Each command is a process of its own, on a terminal.
describe('the client commands on a terminal', { timeout: 120_000 }, () => {
  let server: ServerProcess;
  let user: CommandLine;
  let id: string;
  beforeAll(async () => {
    server = await startServer();
    user = await commandLine({ AGENTAPI_PROXY_ENDPOINT: server.url });
    const tags = { team: 'docs', wide: '日本語のとても長い題名です', long: 'x'.repeat(100) };
    const session = await server.client.start({ tags });
    await session.waitUntilReady();
    ({ id } = session);
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function finished(terminal: TerminalUser): Promise<number | null> {
    const { code } = await terminal.exited;
    return code;
  }

  const seen = (text: string): ((rows: readonly string[]) => boolean) => {
    return (rows) => rows.join('\n').includes(text);
  };

  test.each([80, 40, 20])(
    'list fits %d columns, with short ids, colours and an ellipsis',
    async (columns) => {
      await using terminal = user.inTerminal(['client', 'list'], { columns, rows: 10 });
      expect(await finished(terminal)).toBe(0);
      await terminal.sees(seen(id.slice(0, columns === 80 ? 8 : 5)), 'the session');
      const rows = terminal.rows().filter((row) => row !== '');
      // A line that is wider than the window would take two rows.
      expect(rows).toHaveLength(2);
      expect(rows[1]).toContain('…');
      expect(terminal.rows().join('\n')).not.toContain(id);
      expect(terminal.output()).toMatch(COLOUR);
    },
  );

  test.each([
    ['NO_COLOR', { NO_COLOR: '1' }, []],
    ['--no-color', {}, ['--no-color']],
    ['TERM=dumb', { TERM: 'dumb' }, []],
  ])('%s: no colours', async (_name, env, args) => {
    await using terminal = user.inTerminal(['client', 'status', id, ...args], { env });
    expect(await finished(terminal)).toBe(0);
    await terminal.sees(seen('Agent Status: stable'), 'the status');
    expect(terminal.output()).not.toMatch(COLOUR);
  });

  test('FORCE_COLOR: colours also without a terminal', async () => {
    const { stdout } = await user.run(['client', 'status', id], { env: { FORCE_COLOR: '1' } });
    expect(stdout).toMatch(COLOUR);
  });

  test('send --wait shows a spinner and the answer as it grows, then the answer alone', async () => {
    await using terminal = user.inTerminal(['client', 'send', '-s', id, '--wait', 'seen while waiting']);
    await terminal.sees((rows) => SPINNER.test(rows.join('\n')), 'a spinner');
    expect(await finished(terminal)).toBe(0);
    await terminal.sees(seen('You said: seen while waiting'), 'the answer');
    const rows = terminal.rows().filter((row) => row !== '');
    expect(rows).toEqual(['You said: seen while waiting']);
    const output = terminal.output();
    expect(output.lastIndexOf(SHOWS_CURSOR)).toBeGreaterThan(output.lastIndexOf(HIDES_CURSOR));
  });

  test('Ctrl+C while waiting: 130, and the cursor is back', async () => {
    await server.client.session(id).send('/work 20');
    await using terminal = user.inTerminal(['client', 'send', '-s', id, '--wait', 'never sent']);
    await terminal.sees((rows) => SPINNER.test(rows.join('\n')), 'a spinner');
    terminal.type(CTRL_C);
    expect(await finished(terminal)).toBe(130);
    const output = terminal.output();
    expect(output.lastIndexOf(SHOWS_CURSOR)).toBeGreaterThan(output.lastIndexOf(HIDES_CURSOR));
    expect(terminal.rows().join('\n')).not.toMatch(SPINNER);
    await server.client.session(id).sendRaw('\u001b');
    await server.client.session(id).waitUntilReady();
  });

  test('PX-011: send without MESSAGE asks for one line', async () => {
    await using terminal = user.inTerminal(['client', 'send', '-s', id]);
    await terminal.sees(seen('Enter message:'), 'the question');
    terminal.type('typed by hand\r');
    expect(await finished(terminal)).toBe(0);
    await terminal.sees(seen('Message sent successfully'), 'the success');
    await server.client.session(id).waitUntilReady();
    const messages = await server.client.session(id).messages();
    expect(messages.map(({ content }) => content.trim())).toContain('typed by hand');
  });

  test('Ctrl+C at the question: 130, nothing sent', async () => {
    const before = await server.client.session(id).messages();
    await using terminal = user.inTerminal(['client', 'send', '-s', id]);
    await terminal.sees(seen('Enter message:'), 'the question');
    terminal.type(CTRL_C);
    expect(await finished(terminal)).toBe(130);
    expect(await server.client.session(id).messages()).toHaveLength(before.length);
  });

  test('a key that is asked for is not shown', async () => {
    const args = ['client', 'context', 'set', 'asked', '-e', server.url, '--store-key'];
    await using terminal = user.inTerminal(args);
    await terminal.sees(seen('API key:'), 'the question');
    terminal.type('typed-secret\r');
    expect(await finished(terminal)).toBe(0);
    expect(terminal.output()).not.toContain('typed-secret');
    const listed = await user.run(['client', 'context', 'list']);
    expect(listed.stdout).toMatch(/asked .*stored/);
    await user.run(['client', 'context', 'remove', 'asked']);
  });

  test('attach shows the agent, sends keys, follows the size of the window and gives the terminal back', async () => {
    await using terminal = user.inTerminal(['client', 'attach', id.slice(0, 18)], { columns: 70, rows: 20 });
    await terminal.sees(seen('Ctrl+D to leave'), 'the agent');
    expect(terminal.output()).toContain(`Attached to ${id}; ctrl-] detaches`);
    terminal.type('from a terminal\r');
    await terminal.sees(seen('You said: from a terminal'), 'the answer');
    terminal.resize(40, 8);
    await terminal.sees(
      (rows) => rows.length === 8 && rows.join('\n').includes('Ctrl+D to leave'),
      'the smaller window',
    );
    terminal.type(DETACH_KEY);
    expect(await finished(terminal)).toBe(0);
    const output = terminal.output();
    expect(output.lastIndexOf(LEAVES_VIEW)).toBeGreaterThan(output.lastIndexOf(ENTERS_VIEW));
    await terminal.sees(seen('the session goes on'), 'the farewell');
    await server.client.session(id).waitUntilReady();
  });

  test('attach: another detach key, and Ctrl+C then detaches instead of reaching the agent', async () => {
    await using terminal = user.inTerminal(['client', 'attach', id, '--detach-key', 'ctrl-c']);
    await terminal.sees(seen('Ctrl+D to leave'), 'the agent');
    terminal.type(CTRL_C);
    expect(await finished(terminal)).toBe(0);
    await server.client.session(id).waitUntilReady();
  });

  test('attach: an unknown session is 3, one that ends while attached 1, and the terminal is given back', async () => {
    await using nobody = user.inTerminal(['client', 'attach', 'zzzz']);
    expect(await finished(nobody)).toBe(3);
    expect(nobody.output()).not.toContain(ENTERS_VIEW);
    const session = await server.client.start();
    await session.waitUntilReady();
    await using terminal = user.inTerminal(['client', 'attach', session.id]);
    await terminal.sees(seen('Ctrl+D to leave'), 'the agent');
    await session.delete();
    expect(await finished(terminal)).toBe(1);
    const output = terminal.output();
    expect(output.lastIndexOf(LEAVES_VIEW)).toBeGreaterThan(output.lastIndexOf(ENTERS_VIEW));
    expect(output).toContain('the server has ended the stream');
  });
});
