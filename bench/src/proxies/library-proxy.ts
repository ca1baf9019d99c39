import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import fastifyProxy from '@fastify/http-proxy';
import Fastify from 'fastify';
import httpProxy from 'http-proxy';

/**
 * What programs built with the usual libraries do: passes everything to the port given as second argument, with the
 * library named by the first. Prints the port on which it listens, and ends with its standard input.
 */
const [kind = '', target = ''] = process.argv.slice(2);
const origin = `http://127.0.0.1:${target}`;
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

async function start(): Promise<Server> {
  switch (kind) {
    case 'http-proxy': {
      const proxy = httpProxy.createProxyServer({ target: origin, agent });
      proxy.on('error', () => {});
      return createServer((req, res) => proxy.web(req, res));
    }
    case 'fastify-http-proxy': {
      const app = Fastify();
      await app.register(fastifyProxy, { upstream: origin, undici: { connections: 1_024 } });
      await app.ready();
      return app.server;
    }
    case 'node-http':
      return createServer((req, res) => {
        const forwarded = request(
          { host: '127.0.0.1', port: target, agent, method: req.method, path: req.url, headers: req.headers },
          (answer) => {
            res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
            answer.pipe(res);
          },
        );
        forwarded.on('error', () => res.destroy());
        req.pipe(forwarded);
      });
    default:
      throw new Error(`no library is called ${kind}`);
  }
}

const server = await start();
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(address.port);
});
process.stdin.on('end', () => process.exit(0)).resume();
