import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/*
 * An agent server under the command line of `agentapi server`, without an agent, whose events are numbered and known
 * beforehand; see numbered-events.ts.
 */

const args = process.argv.slice(2);
const port = Number(args[args.indexOf('--port') + 1]);

const messages: string[] = [];
const subscribers = new Set<ServerResponse>();
const subscriptions = { open: 0, most: 0, total: 0 };

const server = createServer((request, response) => {
  const json = (body: unknown): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  switch (pathname) {
    case '/events':
      subscribe(response);
      break;
    case '/subscriptions':
      json(subscriptions);
      break;
    case '/message':
      void tellAsAsked(request);
      json({ ok: true });
      break;
    case '/messages':
      json({ messages: messages.map((content, id) => ({ id, role: 'agent', content, time: TIME })) });
      break;
    default:
      json({ status: 'stable', agent_type: 'custom' });
  }
});

/** Every message has the same: what counts stands in its text. */
const TIME = new Date(0).toISOString();

function subscribe(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  subscribers.add(response);
  subscriptions.total += 1;
  subscriptions.open = subscribers.size;
  subscriptions.most = Math.max(subscriptions.most, subscribers.size);
  response.once('close', () => {
    subscribers.delete(response);
    subscriptions.open = subscribers.size;
  });
  response.write(messages.map((_content, id) => frameOf(id)).join(''));
  response.write('event: status_change\ndata: {"status":"stable","agent_type":"custom"}\n\n');
}

async function tellAsAsked(request: IncomingMessage): Promise<void> {
  const { content } = JSON.parse(Buffer.concat(await request.toArray()).toString('utf8'));
  const [count = 0, everyMs = 0, padding = 0] = String(content).split(' ').map(Number);
  await tell(count, everyMs, padding);
}

async function tell(count: number, everyMs: number, padding: number): Promise<void> {
  // By the clock, not by pauses: a machine that is busy makes them longer.
  const beganAt = performance.now();
  for (let index = 0; index < count; index += 1) {
    await delay(Math.max(0, beganAt + index * everyMs - performance.now()));
    const stamp = process.hrtime.bigint() / 1_000n;
    messages.push(`${messages.length + 1}@${stamp}@${'x'.repeat(padding)}`);
    const frame = frameOf(messages.length - 1);
    for (const subscriber of subscribers) subscriber.write(frame);
  }
}

function frameOf(id: number): string {
  const data = { id, role: 'agent', message: messages[id], time: TIME };
  return `event: message_update\ndata: ${JSON.stringify(data)}\n\n`;
}

process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
server.listen(port, '127.0.0.1');
