import { createServer } from 'node:net';
import type { Socket } from 'node:net';

/**
 * An agent server that costs almost nothing, so that what stands before it is measured: answers from memory, written
 * straight to the socket. Takes the command line of `agentapi server`.
 *
 * GET /big is 1 MB, GET /gigabyte is 1 GB, GET /silent is never answered, everything else is 220 bytes; bodies of
 * requests are counted by their length and dropped.
 */
const args = process.argv.slice(2);
const port = Number(args[args.indexOf('--port') + 1]);

const BIG_BYTES = 1024 ** 2;

const SMALL = answer(JSON.stringify({ status: 'stable', agent_type: 'custom', padding: 'x'.repeat(24) }));
const BIG = Buffer.concat([Buffer.from(head(BIG_BYTES)), Buffer.alloc(BIG_BYTES, 0x78)]);

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  let bodyLeft = 0;
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    if (bodyLeft > 0) {
      bodyLeft -= chunk.length;
      if (bodyLeft <= 0) socket.write(SMALL);
      return;
    }
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
      const request = text.slice(0, end + 4);
      text = text.slice(end + 4);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(request)?.[1] ?? 0);
      if (length > text.length) {
        bodyLeft = length - text.length;
        text = '';
        return;
      }
      text = text.slice(length);
      if (request.startsWith('GET /gigabyte')) sendGigabyte(socket);
      else if (!request.startsWith('GET /silent')) socket.write(request.startsWith('GET /big') ? BIG : SMALL);
    }
  });
});
server.listen(port, '127.0.0.1');

function sendGigabyte(socket: Socket): void {
  const block = Buffer.alloc(BIG_BYTES);
  let left = 1_024;
  socket.write(head(left * BIG_BYTES));
  const more = (): void => {
    while (left > 0) {
      left -= 1;
      if (!socket.write(block)) return;
    }
    socket.off('drain', more);
  };
  socket.on('drain', more);
  more();
}

function head(length: number): string {
  return (
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n' +
    `Connection: keep-alive\r\nKeep-Alive: timeout=72\r\nContent-Length: ${length}\r\n\r\n`
  );
}

function answer(body: string): string {
  return head(Buffer.byteLength(body)) + body;
}
