import { ApiError, ClientError } from '@agentapi-proxy/client';

/** Whether asking again later may help: the server is away, starts, or has too much to do. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.kind === 'unavailable';
  return error instanceof ClientError && (error.kind === 'connection' || error.kind === 'timeout');
}
