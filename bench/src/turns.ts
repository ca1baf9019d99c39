import type { HttpConnection } from './http-connection.ts';

/** One of several ways to the same answer. */
export interface Way {
  readonly connection: HttpConnection;
  readonly path: string;
}

const MICROSECONDS = 1_000;

/**
 * So many requests on each way, in turns, so that whatever else the machine does falls on all of them; each way is
 * the first of a turn equally often.
 * @returns for each way how long they took, in microseconds.
 */
export async function requestInTurns(
  ways: readonly Way[],
  requests: number,
): Promise<readonly (readonly number[])[]> {
  const samples = ways.map(({ connection, path }) => ({ connection, path, took: [] as number[] }));
  for (let request = 0; request < requests; request += 1) {
    const first = request % samples.length;
    for (const { connection, path, took } of [...samples.slice(first), ...samples.slice(0, first)]) {
      took.push((await connection.expect(path)).ms * MICROSECONDS);
    }
  }
  return samples.map(({ took }) => took);
}
