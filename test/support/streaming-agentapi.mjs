#!/usr/bin/env node
// An agent server for tests of connections: under the command line of `agentapi server`, without an agent, with an event
// stream, a WebSocket that sends back what comes, a request that is never answered, and the number of its connections.
import { createServer } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

const args = process.argv.slice(2);
const port = Number(args[args.indexOf('--port') + 1]);

const SETTLING_TURNS = 4;

let open = 0;
let most = 0;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://streaming');
  request.on('error', () => {});
  if (pathname === '/silent') return;
  if (pathname === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: status_change\ndata: {"status":"stable","agent_type":"custom"}\n\n');
    return;
  }
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'stable', agent_type: 'custom', messages: [], open, most }));
  });
});
server.on('connection', (socket) => {
  open += 1;
  socket.on('close', () => {
    open -= 1;
  });
  void count();
});

/** A busy process hears of connections first, and in the next turns of those among them that have long ended. */
async function count() {
  for (let turn = 0; turn < SETTLING_TURNS; turn += 1) await setImmediate();
  most = Math.max(most, open);
}

const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => {}).on('message', (data) => webSocket.send(data));
  });
});
server.listen(port, '127.0.0.1');
