import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { machineClock } from '../http-connection.ts';

/**
 * An agent server without an agent, for traffic that goes on. Takes the command line of `agentapi server`.
 *
 * GET /ticks?from=MS&count=N&hold=MS is an event stream: N events of a number and a time, 200 ms apart, the first one
 * within 200 ms after `from` of the machine's clock; its end comes `hold` later. GET /events is agentapi's, with a message
 * that changes again and again, GET /silent is never answered; other requests get a status when their body has come, and
 * upgrades a WebSocket that sends back what comes.
 */
const args = process.argv.slice(2);
const port = Number(args[args.indexOf('--port') + 1]);

/** Between two events of a stream. */
const PERIOD_MS = 200;
/** Streams begin at different times within a period, as they do in life. */
const SLOT_MS = 10;
/** Between two changes of the message. */
const CHANGE_MS = 500;

const TIME = new Date(0).toISOString();

interface Ticks {
  readonly from: number;
  readonly count: number;
  readonly hold: number;
  readonly response: ServerResponse;
  sent: number;
}

const ticksQuery = z.object({ from: z.coerce.number(), count: z.coerce.number(), hold: z.coerce.number() });

const slots = Array.from({ length: PERIOD_MS / SLOT_MS }, () => new Set<Ticks>());
const followers = new Set<ServerResponse>();
let opened = 0;
let changes = 0;

function receive(req: IncomingMessage, res: ServerResponse): void {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost');
  res.on('error', () => {});
  switch (pathname) {
    case '/ticks':
      beginTicks(res, new Map(searchParams));
      break;
    case '/events':
      beginEvents(res);
      break;
    case '/silent':
      break;
    default:
      req.resume().on('end', () => {
        res.writeHead(200, { 'Content-Type': 'application/json' });
        res.end(JSON.stringify({ status: 'stable', agent_type: 'custom', messages: [], ok: true }));
      });
  }
}

function beginStream(res: ServerResponse): void {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  res.flushHeaders();
}

function beginTicks(response: ServerResponse, query: ReadonlyMap<string, string>): void {
  const ticks = { ...ticksQuery.parse(Object.fromEntries(query)), response, sent: 0 };
  beginStream(response);
  const slot = slots[opened % slots.length];
  opened += 1;
  slot?.add(ticks);
  response.on('close', () => slot?.delete(ticks));
}

function tick(ticks: Ticks): void {
  const now = machineClock();
  if (now < ticks.from) return;
  if (ticks.sent < ticks.count) {
    ticks.response.write(`id: ${ticks.sent}\ndata: ${now.toFixed(3)}\n\n`);
    ticks.sent += 1;
  } else if (now > ticks.from + ticks.count * PERIOD_MS + ticks.hold) {
    ticks.response.end();
  }
}

function beginEvents(res: ServerResponse): void {
  beginStream(res);
  res.write(messageEvent() + eventOf('status_change', { status: 'stable', agent_type: 'custom' }));
  followers.add(res);
  res.on('close', () => followers.delete(res));
}

function messageEvent(): string {
  return eventOf('message_update', { id: 0, role: 'agent', message: `change ${changes}`, time: TIME });
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

const server = createServer(receive);
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (req, socket, head) => {
  sockets.handleUpgrade(req, socket, head, (webSocket) => {
    webSocket.on('error', () => {}).on('message', (data, binary) => webSocket.send(data, { binary }));
  });
});

let turn = 0;
setInterval(() => {
  // A timer that comes late makes up for it: every stream gets its events.
  const due = Math.floor(machineClock() / SLOT_MS);
  for (turn = Math.max(turn, due - slots.length); turn < due; turn += 1) {
    for (const ticks of slots[turn % slots.length] ?? []) tick(ticks);
  }
}, SLOT_MS);
setInterval(() => {
  changes += 1;
  const event = messageEvent();
  for (const follower of followers) follower.write(event);
}, CHANGE_MS);
server.listen(port, '127.0.0.1');
