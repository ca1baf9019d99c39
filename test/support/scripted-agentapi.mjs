#!/usr/bin/env node
// An agent server for tests of what reaches an agent server: under the command line of `agentapi server`, without an
// agent, and with answers that the request asks for. Waits START_DELAY_MS before it listens.
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const args = process.argv.slice(2);
const port = Number(args[args.indexOf('--port') + 1]);

const answer = async (request, response) => {
  const json = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
  const { pathname } = new URL(request.url, 'http://scripted');
  switch (pathname) {
    case '/status':
      return json(200, { status: 'stable', agent_type: 'custom' });
    case '/arguments':
      return json(200, args);
    case '/redirect':
      return json(302, {}, { location: '/chat' });
    case '/redirect-away':
      return json(302, {}, { location: 'https://elsewhere.example/chat' });
    case '/own-cors':
      return json(
        200,
        {},
        {
          'access-control-allow-origin': 'https://agent.example',
          'access-control-allow-methods': 'GET',
          'access-control-expose-headers': 'X-Of-The-Agent',
        },
      );
    case '/failure':
      return json(500, { title: 'of the agent' }, { 'set-cookie': ['a=1', 'b=2'] });
    case '/die':
      return process.exit(9);
    case '/stop-listening':
      response.setHeader('connection', 'close');
      json(200, {});
      server.close();
      server.closeIdleConnections();
      return setInterval(() => {}, 1_000);
    default: {
      const chunks = await request.toArray();
      const { method, url, rawHeaders } = request;
      return json(200, { method, url, rawHeaders, body: Buffer.concat(chunks).toString('utf8') });
    }
  }
};

const server = createServer((request, response) => void answer(request, response));
await delay(Number(process.env.START_DELAY_MS ?? 0));
server.listen(port, '127.0.0.1');
