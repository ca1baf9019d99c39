/** Longer than the 60 s after which common load balancers let go of an unused connection. */
export const KEEP_ALIVE_SECONDS = 65;

const STAYS = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_SECONDS}\r\n`;

/** The header lines that tell a client whether its connection ends with this answer. */
export function connectionLines(last: boolean): string {
  return last ? 'Connection: close\r\n' : STAYS;
}
