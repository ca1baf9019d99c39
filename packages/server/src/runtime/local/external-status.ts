import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { TOKEN_HEADER } from '@agentapi-proxy/agent-server/control';
import { z } from 'zod';

/** Pauses between questions: an agent server starts within 100 ms or takes its time. */
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;
/** `/status` is answered from memory; a server that takes longer is asked again. */
const REQUEST_TIMEOUT_MS = 2_000;
/** An answer is some dozen bytes; more is another program's. */
const MAX_BODY_CHARS = 64 * 1024;

const UNAUTHORIZED = 401;

/** An agent server answers, but it is not the one that this token is for. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

const statusSchema = z.object({ status: z.enum(['stable', 'running']) });
type Status = z.infer<typeof statusSchema>['status'];

/**
 * Asks `GET /status` on a loopback port, with growing pauses, until `isWanted` accepts an answer.
 * @param token - what the requests must carry; `null` for an agent server without one.
 * @throws TokenRefused; the abort reason of `signal`.
 */
export async function pollStatus(
  port: number,
  isWanted: (status: Status) => boolean | Promise<boolean>,
  signal: AbortSignal,
  token: string | null = null,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const status = await getStatus(port, token, signal);
    signal.throwIfAborted();
    if (status === 'refused') throw new TokenRefused();
    if (status !== null && (await isWanted(status))) return;
    await delay(pauseMs, undefined, { signal });
    pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS);
  }
}

/** @returns the status; `refused` when the token is wrong; `null` when nothing answers, or no agent server does. */
function getStatus(
  port: number,
  token: string | null,
  signal: AbortSignal,
): Promise<Status | 'refused' | null> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/status',
        headers: token === null ? {} : { [TOKEN_HEADER]: token },
        // No shared agent: a kept connection could reach into the next program on this port.
        agent: false,
        signal,
        timeout: REQUEST_TIMEOUT_MS,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > MAX_BODY_CHARS) response.destroy();
        });
        response.once('close', () => {
          if (response.statusCode === UNAUTHORIZED) resolve('refused');
          else resolve(response.statusCode === 200 ? parseStatus(body) : null);
        });
      },
    );
    sent.once('timeout', () => sent.destroy());
    sent.once('error', () => resolve(null));
    sent.end();
  });
}

function parseStatus(body: string): Status | null {
  try {
    const parsed = statusSchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.status : null;
  } catch {
    return null;
  }
}
