import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { EMBEDDED_PROGRAM } from '../agent-servers.ts';
import type { Bench } from '../bench.ts';
import { HttpConnection } from '../http-connection.ts';
import { startProxy } from '../proxy-process.ts';
import { summarize } from '../statistics.ts';
import { requestInTurns } from '../turns.ts';

const ROUNDS = 20;
const REQUESTS_PER_ROUND = 250;
/** So many requests on each way until the compilers of all processes have done their work. */
const WARM_UP_REQUESTS = 3_000;

const detailsSchema = z.object({ port: z.int().min(1) });

/**
 * The same request to the same agent server: straight, through a process that only copies bytes, and
 * through the proxy. The proxy takes the embedded server for an external one here, because that one
 * asks nobody for a token.
 */
export const proxiedRequest: Bench = {
  name: 'proxied-request',
  title: 'GET /status straight to the agent server and through the proxy',
  run: async ({ progress }) => {
    const folder = await mkdtemp(join(tmpdir(), 'agentapi-proxy-bench-'));
    try {
      const program = join(folder, 'agentapi');
      await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${EMBEDDED_PROGRAM}' "$@"\n`);
      await chmod(program, 0o700);
      await using proxy = await startProxy({ agent_server: 'external', agentapi_path: program });
      const id = await proxy.start();
      await proxy.connection.expect(`/${id}/status`);
      const details = await proxy.connection.expect(`/sessions/${id}`);
      const { port } = detailsSchema.parse(JSON.parse(details.text));
      await using relay = await startRelay(port);
      const ways = [
        { connection: new HttpConnection(port), path: '/status', all: [] as number[] },
        { connection: new HttpConnection(relay.port), path: '/status', all: [] as number[] },
        { connection: new HttpConnection(proxy.port), path: `/${id}/status`, all: [] as number[] },
      ] as const;
      /** Medians of so many requests on each way, in turns. */
      const measure = async (requests: number): Promise<readonly [number, number, number]> => {
        const samples = await requestInTurns(ways, requests);
        for (const [way, { all }] of ways.entries()) all.push(...(samples[way] ?? []));
        const [direct = [], relayed = [], proxied = []] = samples;
        return [summarize(direct).p50, summarize(relayed).p50, summarize(proxied).p50];
      };
      progress(`${WARM_UP_REQUESTS} requests on each way to warm up`);
      await measure(WARM_UP_REQUESTS);
      for (const { all } of ways) all.length = 0;
      progress(`${ROUNDS} rounds of ${REQUESTS_PER_ROUND} requests on each way`);
      const medians = [];
      for (let round = 0; round < ROUNDS; round += 1) medians.push(await measure(REQUESTS_PER_ROUND));
      for (const { connection } of ways) connection[Symbol.dispose]();
      const targets = [{ statistic: 'p50', atMost: 60 }] as const;
      return {
        measurements: [
          { name: 'straight', unit: 'µs', samples: ways[0].all },
          { name: 'through a relay of bytes', unit: 'µs', samples: ways[1].all },
          { name: 'through the proxy', unit: 'µs', samples: ways[2].all },
          {
            name: 'added by the relay',
            unit: 'µs',
            samples: medians.map(([direct, relayed]) => relayed - direct),
          },
          {
            name: 'added by the proxy',
            unit: 'µs',
            samples: medians.map(([direct, , proxied]) => proxied - direct),
            targets,
          },
          {
            name: 'proxy to straight',
            unit: '×',
            samples: medians.map(([direct, , proxied]) => proxied / direct),
          },
        ],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function startRelay(target: number): Promise<{ readonly port: number } & AsyncDisposable> {
  const program = fileURLToPath(new URL('../byte-relay.js', import.meta.url));
  const child = spawn(process.execPath, [program, String(target)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return {
    port: z.coerce.number().parse(String(line)),
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
