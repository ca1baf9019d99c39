import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, Measurement } from '../bench.ts';
import { HttpConnection } from '../http-connection.ts';
import { HAS_FIGURES, memoryOf } from '../process-figures.ts';
import { findLoadGenerator } from '../proxies/load.ts';
import { writeAgentServer } from '../proxies/agent-server-program.ts';
import { startProxy } from '../proxy-process.ts';
import { summarize } from '../statistics.ts';

const SECONDS = 5;
/** Between two questions: often enough to meet every hitch, seldom enough to be no load. */
const EVERY_MS = 5;
const IDLE_CONNECTIONS = 10_000;
const SLOW_CONNECTIONS = 1_000;
const SILENT_REQUESTS = 500;
const UNREAD_ANSWERS = 20;
const LOAD_CONNECTIONS = 64;
/** Connections are opened so many at a time. */
const BATCH = 200;

const TARGETS = [{ statistic: 'max', atMost: 100 }] as const;

/** Whether the control plane answers while clients and agents misbehave. */
export const overload: Bench = {
  name: 'overload',
  title: 'GET /livez while clients and agent servers misbehave',
  run: async ({ progress }) => {
    const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
    try {
      await using proxy = await startProxy({
        agent_server: 'external',
        agentapi_path: await writeAgentServer(folder, 'static'),
        on_shutdown: 'terminate',
        limits: { connections_per_address: 0, head_seconds: 600 },
      });
      await using idle = await startProxy();
      const id = await proxy.start();
      await proxy.connection.expect(`/${id}/status`);
      const request = (path: string): string => `GET /${id}${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const measurements: Measurement[] = [];
      const ask = async (name: string): Promise<void> => {
        // What the machine itself takes is seen in a server that has nothing to do.
        const [busy, calm] = await Promise.all([p99OfEachSecond(proxy.port), p99OfEachSecond(idle.port)]);
        measurements.push(
          { name, unit: 'ms', samples: busy, targets: TARGETS },
          { name: '  an idle server meanwhile', unit: 'ms', samples: calm },
        );
      };
      const measure = async (name: string, count: number, text: string, reads = true): Promise<void> => {
        progress(name);
        const sockets = await openMany(proxy.port, count, text, reads);
        await ask(name);
        if (count === IDLE_CONNECTIONS && HAS_FIGURES) {
          const samples = [memoryOf(proxy.pid).residentMb];
          measurements.push({ name: 'memory of the proxy with them', unit: 'MB', samples });
        }
        for (const socket of sockets) socket.destroy();
        await proxy.connection.expect(`/${id}/status`);
      };
      await measure('nothing else', 0, '');
      await measure(`${IDLE_CONNECTIONS} idle connections`, IDLE_CONNECTIONS, '');
      await measure(`${SLOW_CONNECTIONS} heads that never end`, SLOW_CONNECTIONS, 'GET / HTTP/1.1\r\nX-A: ');
      await measure(
        `${SILENT_REQUESTS} requests to an agent server that never answers`,
        SILENT_REQUESTS,
        request('/silent'),
      );
      await measure(
        `${UNREAD_ANSWERS} answers of 1 GB that nobody reads`,
        UNREAD_ANSWERS,
        request('/gigabyte'),
        false,
      );
      const generator = await findLoadGenerator(folder);
      const target = { name: '', port: proxy.port, prefix: `/${id}`, headers: {}, pid: 0 };
      for (const [path, size] of [
        ['/status', '220 bytes'],
        ['/big', '1 MB'],
      ] as const) {
        const name = `${LOAD_CONNECTIONS} connections that ask for ${size} all the time`;
        progress(name);
        const load = { name, path, connections: LOAD_CONNECTIONS, uploadBytes: 0 };
        const loading = generator.run(target, load, SECONDS + 1);
        await ask(name);
        await loading;
      }
      return { measurements };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function openMany(
  port: number,
  count: number,
  text: string,
  reads: boolean,
): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - sockets.length) }, () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      if (reads) socket.resume();
      else socket.pause();
      return socket;
    });
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    if (text !== '') for (const socket of batch) socket.write(text);
    sockets.push(...batch);
  }
  return sockets;
}

async function p99OfEachSecond(port: number): Promise<readonly number[]> {
  const connection = new HttpConnection(port);
  const result: number[] = [];
  for (let second = 0; second < SECONDS; second += 1) {
    const samples: number[] = [];
    const end = performance.now() + 1_000;
    while (performance.now() < end) {
      samples.push((await connection.expect('/livez')).ms);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    result.push(summarize(samples).p99);
  }
  connection[Symbol.dispose]();
  return result;
}
