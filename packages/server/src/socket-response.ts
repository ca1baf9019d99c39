import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * A `node:http` response for a request that arrived with `Upgrade` and is answered without one. Node has let go
 * of such a connection, so the response closes it in the end.
 */
export function responseOn(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  socket.on('drain', () => res.emit('drain'));
  // Nothing more is expected from the client; only reading shows that it has left.
  socket.on('end', () => {
    if (!res.writableEnded) socket.destroy();
  });
  socket.resume();
  res.on('error', () => {});
  res.on('finish', () => {
    res.detachSocket(socket);
    socket.destroySoon();
  });
  return res;
}
