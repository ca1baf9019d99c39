import { once } from 'node:events';
import { createServer, request } from 'node:http';

/** A reverse proxy as many companies have one: everything below a path goes to the server, and nothing else is there. */
export interface PrefixProxy extends AsyncDisposable {
  /** With the path. */
  readonly url: string;
  /** Paths that were asked for and are not below it. */
  readonly strays: readonly string[];
}

/**
 * Starts one.
 * @param prefix - begins with a slash and ends without one
 */
export async function startPrefixProxy(targetPort: number, prefix: string): Promise<PrefixProxy> {
  const strays: string[] = [];
  const server = createServer((incoming, reply) => {
    const { url = '/', method, headers } = incoming;
    if (!url.startsWith(`${prefix}/`)) {
      strays.push(url);
      reply.writeHead(404).end();
      return;
    }
    const outgoing = request(
      { host: '127.0.0.1', port: targetPort, method, headers, path: url.slice(prefix.length) },
      (answer) => {
        reply.writeHead(answer.statusCode ?? 502, answer.headers);
        // The first event may be long in coming.
        reply.flushHeaders();
        answer.pipe(reply);
      },
    );
    outgoing.on('error', () => reply.destroy());
    reply.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url: `http://127.0.0.1:${address.port}${prefix}`,
    strays,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
