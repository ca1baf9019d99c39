import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { EMBEDDED_PROGRAM } from '../agent-servers.ts';
import type { Bench } from '../bench.ts';
import { HttpConnection } from '../http-connection.ts';
import { startProxy } from '../proxy-process.ts';
import { summarize } from '../statistics.ts';

const ROUNDS = 20;
const PAIRS_PER_ROUND = 250;
/** So many pairs until the compilers of all three processes have done their work. */
const WARM_UP_PAIRS = 3_000;
const MICROSECONDS = 1_000;

const detailsSchema = z.object({ port: z.int().min(1) });

/**
 * The same request to the same agent server, straight and through the proxy. The proxy takes the
 * embedded server for an external one here, because that one asks nobody for a token.
 */
export const proxiedRequest: Bench = {
  name: 'proxied-request',
  title: 'GET /status through the proxy and straight to the agent server',
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
      using straight = new HttpConnection(detailsSchema.parse(JSON.parse(details.text)).port);
      using proxied = new HttpConnection(proxy.port);
      const pair = async (): Promise<{ direct: number; through: number }> => {
        const direct = await straight.expect('/status');
        const through = await proxied.expect(`/${id}/status`);
        return { direct: direct.ms * MICROSECONDS, through: through.ms * MICROSECONDS };
      };
      progress(`${WARM_UP_PAIRS} pairs of requests to warm up`);
      for (let index = 0; index < WARM_UP_PAIRS; index += 1) await pair();
      progress(`${ROUNDS} rounds of ${PAIRS_PER_ROUND} pairs`);
      const direct: number[] = [];
      const through: number[] = [];
      const added: number[] = [];
      const ratio: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const pairs = [];
        for (let index = 0; index < PAIRS_PER_ROUND; index += 1) pairs.push(await pair());
        const directP50 = summarize(pairs.map((one) => one.direct)).p50;
        const throughP50 = summarize(pairs.map((one) => one.through)).p50;
        direct.push(...pairs.map((one) => one.direct));
        through.push(...pairs.map((one) => one.through));
        added.push(throughP50 - directP50);
        ratio.push(throughP50 / directP50);
      }
      const targets = [{ statistic: 'p50', atMost: 100 }] as const;
      return {
        measurements: [
          { name: 'straight', unit: 'µs', samples: direct },
          { name: 'through the proxy', unit: 'µs', samples: through },
          { name: 'added, median of each round', unit: 'µs', samples: added, targets },
          { name: 'ratio, median of each round', unit: '×', samples: ratio },
        ],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
