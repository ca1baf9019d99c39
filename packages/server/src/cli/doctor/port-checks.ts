import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config/schema.ts';
import type { Finding } from './finding.ts';
import { reasonOf } from './finding.ts';

/** A server on the same machine that takes longer has no answer. */
const ANSWER_LIMIT_MS = 2_000;
const LOOPBACK = '127.0.0.1';

/** Whether the server can listen; one of ours that does already is fine. */
export async function checkListenPort({ host, port }: Config): Promise<Finding> {
  const check = 'listening port';
  const shown = `${port} on ${host}`;
  if (port === 0) return { check, verdict: 'ok', text: `any free one on ${host}` };
  try {
    await tryPort(port, host);
    return { check, verdict: 'ok', text: `${shown} is free` };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code !== 'EADDRINUSE') {
      return {
        check,
        verdict: 'broken',
        text: `${shown} cannot be used: ${reasonOf(error)}`,
        advice: 'Correct host and port, or use a port above 1023.',
      };
    }
    if (await isOurs(host, port)) return { check, verdict: 'ok', text: `${shown}: the server is running` };
    return {
      check,
      verdict: 'broken',
      text: `${shown} is in use by another program`,
      advice: 'Stop that program, or choose another port.',
    };
  }
}

/** Whether agent servers find ports. */
export async function checkSessionPorts({ start_port: first, port_count: count }: Config): Promise<Finding> {
  const check = 'session ports';
  const last = Math.min(first + count - 1, 65_535);
  let free = 0;
  for (let port = first; port <= last; port += 1) {
    const isFree = await tryPort(port, LOOPBACK).then(
      () => true,
      () => false,
    );
    if (isFree) free += 1;
  }
  const text = `${free} of ${last - first + 1} from ${first} upwards are free`;
  if (free > 0) return { check, verdict: 'ok', text };
  return { check, verdict: 'broken', text, advice: 'Choose another start_port, or a larger port_count.' };
}

async function tryPort(port: number, host: string): Promise<void> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
  } finally {
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
  }
}

async function isOurs(host: string, port: number): Promise<boolean> {
  const reachable = { '0.0.0.0': LOOPBACK, '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  try {
    const response = await fetch(`http://${reachable}:${port}/version`, {
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      redirect: 'error',
    });
    const body: unknown = await response.json();
    return response.ok && typeof body === 'object' && body !== null && 'version' in body;
  } catch {
    return false;
  }
}
