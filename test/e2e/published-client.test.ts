import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findPart } from '../../tools/src/outside-parts.ts';
import { EMBEDDED, eventually } from '../support/differential/agentapi-program.ts';
import { lastingPort } from '../support/server-process.ts';
import { agent } from '../support/differential/scenario.ts';

/**
 * cyberian is a client of agentapi that other people have written and published; it starts servers by the name
 * `agentapi` and talks to them. Here that name stands for our agent server, and nothing else is changed.
 */
const client = findPart('cyberian');

const statusSchema = z.object({ status: z.enum(['running', 'stable']), agent_type: z.literal('custom') });
const messagesSchema = z.object({
  messages: z.array(z.object({ id: z.int(), role: z.enum(['agent', 'user']), content: z.string() })),
});

/** Reads `count` events with a published reader of event streams. */
const READ_EVENTS = `
import json, sys, httpx
from httpx_sse import connect_sse
count = int(sys.argv[2])
with httpx.Client(timeout=20) as http, connect_sse(http, "GET", sys.argv[1] + "/events") as source:
    for event in source.iter_sse():
        print(json.dumps({"event": event.event, "data": json.loads(event.data)}))
        count -= 1
        if count == 0:
            break
`;

/** Says something with the library of the client. */
const SEND_AND_WAIT = `
import sys
from cyberian.agent_client import get_agent_messages, get_agent_status, send_message_and_wait
port = int(sys.argv[1])
assert get_agent_status(port)["status"] == "stable"
print(send_message_and_wait(port, "from the library", poll_interval=0.1))
print(len(get_agent_messages(port)))
`;

describe.skipIf(client === null)(
  'a published client of agentapi drives the embedded server [needs cyberian]',
  () => {
    let folder: string;
    let port: number;
    let serverPid: number;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'agentapi-published-client-'));
      await mkdir(join(folder, 'bin'));
      await writeCommand('agentapi', EMBEDDED.command);
      await writeCommand('robot', agent('echo'));
      port = await lastingPort();
      const started = await cyberian('server', 'start', 'robot', '--port', String(port), '--dir', folder);
      serverPid = Number(/PID: (\d+)/u.exec(started)?.[1]);
      await untilStable();
    });
    afterAll(async () => {
      if (isAlive()) process.kill(serverPid, 'SIGTERM');
      await eventually('the server is gone', async () => !isAlive() || undefined);
      await rm(folder, { recursive: true });
    });

    async function writeCommand(name: string, command: readonly string[]): Promise<void> {
      const path = join(folder, 'bin', name);
      await writeFile(path, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`);
      await chmod(path, 0o755);
    }

    function isAlive(): boolean {
      try {
        process.kill(serverPid, 0);
        return true;
      } catch {
        return false;
      }
    }

    async function run(command: string, args: readonly string[]): Promise<string> {
      const path = [join(folder, 'bin'), dirname(client ?? ''), process.env['PATH'] ?? ''].join(delimiter);
      const child = spawn(command, args, {
        cwd: folder,
        env: { PATH: path, HOME: folder, COLUMNS: '200', NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
      // Not 'close': a server that it starts keeps the pipes.
      const [code]: unknown[] = await once(child, 'exit');
      child.stdout.destroy();
      child.stderr.destroy();
      if (code !== 0)
        throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}:\n${output}${errors}`);
      return output;
    }

    function cyberian(...args: readonly string[]): Promise<string> {
      return run(client ?? '', args);
    }

    async function untilStable(): Promise<void> {
      await eventually('the client sees a stable agent', async () => {
        const text = await cyberian('status', '--port', String(port)).catch(() => undefined);
        if (text === undefined) return undefined;
        return statusSchema.parse(JSON.parse(text)).status === 'stable' || undefined;
      });
    }

    test('AA-038, AA-039, AA-041: status, a message with its answer, and the history', async () => {
      const at = ['--port', String(port)];
      const answer = await cyberian('message', 'Hello', '--sync', '--poll-interval', '0.1', ...at);
      expect(answer.trim()).toBe('You said: Hello');
      const { messages } = messagesSchema.parse(JSON.parse(await cyberian('messages', ...at)));
      expect(messages.map(({ role, content }) => [role, content.trim()])).toEqual([
        ['agent', 'Hello.'],
        ['user', 'Hello'],
        ['agent', 'You said: Hello'],
      ]);
      expect(JSON.parse(await cyberian('message', '', '--type', 'raw', ...at))).toMatchObject({ ok: true });
      await untilStable();
    });

    test('AA-059, AA-060, AA-061: the events of a turn', async () => {
      const before = messagesSchema.parse(JSON.parse(await cyberian('messages', '--port', String(port))));
      const count = before.messages.length + 1;
      const python = join(dirname(client ?? ''), 'python');
      const events = await run(python, ['-c', READ_EVENTS, `http://127.0.0.1:${port}`, String(count)]);
      const names = events
        .trim()
        .split('\n')
        .map(
          (line) => z.object({ event: z.string(), data: z.looseObject({}) }).parse(JSON.parse(line)).event,
        );
      expect(names).toEqual([...before.messages.map(() => 'message_update'), 'status_change']);
    });

    test('AA-041, AA-062: its library sends a message and waits for the answer', async () => {
      const python = join(dirname(client ?? ''), 'python');
      const output = await run(python, ['-c', SEND_AND_WAIT, String(port)]);
      expect(output).toMatch(/^You said: from the library\s+\d+\n$/u);
    });

    test('AA-016: it stops the server that it has started', async () => {
      await cyberian('server', 'stop', String(serverPid));
      expect(await eventually('the server is gone', async () => !isAlive() || undefined)).toBe(true);
    });
  },
);
