import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

/** An answer on its way through the relay. */
export interface PassingReply {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The whole body; of an event stream one event. */
  readonly body: string;
}

/** Gives what the client is to see instead. Status and headers of an event stream stay as they are. */
export type Falsification = (reply: PassingReply) => PassingReply;

/** An HTTP server in front of another one that does not pass on what that one says. */
export async function startFalsifyingRelay(
  targetPort: number,
  falsify: Falsification,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer({ requireHostHeader: false }, (incoming, outgoing) => {
    relay(incoming, outgoing, targetPort, falsify).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function relay(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  targetPort: number,
  falsify: Falsification,
): Promise<void> {
  const { method = 'GET', url: path = '/' } = incoming;
  const forwarded = request({
    host: '127.0.0.1',
    port: targetPort,
    method,
    path,
    headers: incoming.rawHeaders,
    agent: false,
  });
  outgoing.once('close', () => forwarded.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    forwarded.once('response', resolve).on('error', reject);
  });
  incoming.pipe(forwarded);
  const answer = await answered;
  const { statusCode: status = 502, headers } = answer;
  answer.setEncoding('utf8');
  if (headers['content-type'] === 'text/event-stream') {
    outgoing.writeHead(status, headers);
    let rest = '';
    for await (const chunk of answer) {
      const frames = `${rest}${String(chunk)}`.split('\n\n');
      rest = frames.pop() ?? '';
      for (const body of frames)
        outgoing.write(`${falsify({ method, path, status, headers, body }).body}\n\n`);
    }
    outgoing.end();
    return;
  }
  const chunks: string[] = await answer.toArray();
  // An answer in the middle of a body would close the connection under the client, and is the end of what the
  // server takes of it.
  if (!incoming.readableEnded) await once(incoming.unpipe(forwarded).resume(), 'end');
  const passed = falsify({ method, path, status, headers, body: chunks.join('') });
  const { 'content-length': _length, 'transfer-encoding': _encoding, ...rest } = passed.headers;
  outgoing.writeHead(passed.status, rest).end(passed.body);
}
