import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { start } from '../support/wire.ts';

const AGENT_SERVER = fileURLToPath(new URL('../support/streaming-agentapi.mjs', import.meta.url));
const CONNECTIONS = 1_000;
/** So many clients are there at a time. */
const CLIENTS = 20;

const connectionsSchema = z.looseObject({ open: z.number(), most: z.number() });

/** One connection of a client from its beginning to an end of some kind. */
type Visit = (server: ServerProcess, id: string) => Promise<void>;

const VISITS: readonly Visit[] = [
  async ({ port }, id) => {
    const stream = await open(port, get(`/${id}/events`));
    await once(stream, 'data');
    stream.destroy();
    await once(stream, 'close');
  },
  async ({ port }, id) => {
    const stream = await open(port, get(`/${id}/events`));
    await once(stream, 'data');
    await reset(stream);
  },
  async ({ port }, id) => {
    const halfOpen = await open(port, get(`/${id}/events`));
    await once(halfOpen, 'data');
    halfOpen.resume().end();
    await once(halfOpen, 'close');
  },
  async ({ port }, id) => {
    const viewer = await open(port, get(`/sessions/${id}/events`));
    await once(viewer, 'data');
    await reset(viewer);
  },
  async ({ port }, id) => {
    const socket = await openWebSocket(port, id);
    socket.close();
    await once(socket, 'close');
  },
  async ({ port }, id) => {
    const socket = await openWebSocket(port, id);
    socket.terminate();
    await once(socket, 'close');
  },
  async ({ port }, id) => {
    const keptAlive = await open(port, get(`/${id}/status`));
    await once(keptAlive, 'data');
    keptAlive.write(get('/livez'));
    await once(keptAlive, 'data');
    keptAlive.write(get(`/${id}/messages`));
    await once(keptAlive, 'data');
    keptAlive.destroy();
    await once(keptAlive, 'close');
  },
  async ({ port }, id) => reset(await open(port, get(`/${id}/silent`))),
  async ({ port }) => reset(await open(port, 'GET / HT')),
  async ({ port }, id) =>
    reset(
      await open(port, `POST /${id}/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf`),
    ),
];

test.skipIf(platform() !== 'linux')(
  `of ${CONNECTIONS} connections that end in every way nothing is left: no descriptor, no stream, no connection to the agent server`,
  { timeout: 180_000 },
  async () => {
    await using server = await startServer({
      config: { agent_server: 'external', agentapi_path: AGENT_SERVER, start_port: 27_000 },
    });
    const id = await start(server);
    const agentConnections = async (): Promise<z.infer<typeof connectionsSchema>> =>
      connectionsSchema.parse(await (await fetchOnce(server, `/${id}/connections`)).json());
    const settled = async (): Promise<number> => {
      await eventually('nothing is open', async () => {
        const { event_stream: streams, upgrade: upgrades } = await gauges(server);
        // The journal has a connection to the agent server, this request another.
        return streams === 0 && upgrades === 0 && (await agentConnections()).open <= 2;
      });
      return descriptors(server);
    };
    // What is opened once is open afterwards.
    for (const visit of VISITS) await visit(server, id);
    const before = await settled();
    let left = CONNECTIONS;
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        while (left > 0) {
          left -= 1;
          await VISITS[left % VISITS.length]?.(server, id);
        }
      }),
    );
    // A connection whose client has gone may still be on its way out while the next one comes.
    expect((await agentConnections()).most).toBeLessThanOrEqual(CLIENTS * 2);
    await settled();
    await eventually('every descriptor is closed', () => descriptors(server) <= before);
  },
);

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

async function open(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

async function reset(socket: Socket): Promise<void> {
  socket.resetAndDestroy();
  if (!socket.closed) await once(socket, 'close');
}

async function openWebSocket(port: number, id: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/${id}/socket`);
  await once(socket, 'open');
  socket.send('hello');
  const [message] = await once(socket, 'message');
  expect(String(message)).toBe('hello');
  return socket;
}

async function fetchOnce(server: ServerProcess, path: string): Promise<Response> {
  return await server.request(path, { headers: { connection: 'close' } });
}

/** What the server itself says is open. */
async function gauges(server: ServerProcess): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetchOnce(server, '/metrics')).text();
  const lines = text.matchAll(/^agentapi_proxy_streams_open\{kind="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, kind, count]) => [kind, Number(count)]));
}

function descriptors({ pid }: ServerProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
