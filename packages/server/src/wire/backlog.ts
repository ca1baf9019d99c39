import type { Socket } from 'node:net';

/**
 * So many bytes may wait for a slow reader before nothing more is taken for it. More than a stream's own limit: a
 * writer that pauses after each piece leaves the line idle between two of them.
 */
const MAX_PENDING_BYTES = 128 * 1024;

/** Whether more may be written to a socket now; if not, `drain` follows. */
export function hasRoom(socket: Socket): boolean {
  return socket.writableLength <= MAX_PENDING_BYTES;
}
