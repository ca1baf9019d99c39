/** The header line of the last answer on a connection. */
export const CLOSES = 'Connection: close\r\n';

/** The header lines of an answer after which the connection stays, for so many seconds without a request. */
export function staysLines(seconds: number): string {
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(seconds)}\r\n`;
}
