import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A TCP relay in front of a server on loopback, whose connections a test can break. */
export interface TcpRelay extends AsyncDisposable {
  readonly url: string;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Of these, how many have ended. */
  readonly ended: number;
  /** Breaks every connection, as a lost network does. */
  breakAll(): void;
  /** While true, new connections are broken at once. */
  refuse: boolean;
}

export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const clients = new Set<Socket>();
  let accepted = 0;
  const server = createServer((client) => {
    if (relay.refuse) {
      client.resetAndDestroy();
      return;
    }
    accepted += 1;
    clients.add(client);
    const target = connect(targetPort, '127.0.0.1');
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        clients.delete(client);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  const breakAll = (): void => {
    for (const client of clients) client.resetAndDestroy();
  };
  const relay: TcpRelay = {
    url: `http://127.0.0.1:${address.port}`,
    get accepted() {
      return accepted;
    },
    get ended() {
      return accepted - clients.size;
    },
    refuse: false,
    breakAll,
    [Symbol.asyncDispose]: async () => {
      server.close();
      breakAll();
      await once(server, 'close');
    },
  };
  return relay;
}
