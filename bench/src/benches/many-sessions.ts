import type { Bench } from '../bench.ts';
import { HttpConnection } from '../http-connection.ts';
import { HAS_FIGURES, memoryOf } from '../process-figures.ts';
import { startProxy } from '../proxy-process.ts';
import type { ProxyProcess } from '../proxy-process.ts';

const SESSIONS = 50;

/** What happens when a whole team comes to work at the same moment. */
export const manySessions: Bench = {
  name: 'many-sessions',
  title: `${SESSIONS} sessions at once`,
  run: async ({ progress }) => {
    await using proxy = await startProxy();
    progress(`starting ${SESSIONS} sessions`);
    const started = await together(proxy, async (connection, elapsed) => {
      const { text } = await connection.expect('/start', { method: 'POST', body: {} });
      const id = /"session_id":"([^"]+)"/.exec(text)?.[1];
      if (id === undefined) throw new Error(`not a session: ${text}`);
      await connection.expect(`/${id}/status`);
      return { id, ms: elapsed() };
    });
    const resident = HAS_FIGURES ? [memoryOf(proxy.pid).residentMb] : [];
    progress(`deleting ${SESSIONS} sessions`);
    const ids = started.map(({ id }) => id);
    const deleted = await together(proxy, async (connection, elapsed) => {
      const id = ids.pop();
      await connection.expect(`/sessions/${id}`, { method: 'DELETE' });
      return { ms: elapsed() };
    });
    const last = (samples: readonly { readonly ms: number }[]): readonly number[] => [
      Math.max(...samples.map(({ ms }) => ms)),
    ];
    return {
      measurements: [
        { name: 'a session answers after', unit: 'ms', samples: started.map(({ ms }) => ms) },
        { name: 'all answer after', unit: 'ms', samples: last(started) },
        { name: 'a DELETE is answered after', unit: 'ms', samples: deleted.map(({ ms }) => ms) },
        { name: 'all are deleted after', unit: 'ms', samples: last(deleted) },
        ...(resident.length === 0
          ? []
          : [{ name: `the proxy with ${SESSIONS} sessions`, unit: 'MB', samples: resident } as const]),
      ],
    };
  },
};

/** Does the same on so many connections as there are sessions. */
async function together<T>(
  proxy: ProxyProcess,
  work: (connection: HttpConnection, elapsed: () => number) => Promise<T>,
): Promise<readonly T[]> {
  const start = performance.now();
  return Promise.all(
    Array.from({ length: SESSIONS }, async () => {
      using connection = new HttpConnection(proxy.port);
      return await work(connection, () => performance.now() - start);
    }),
  );
}
