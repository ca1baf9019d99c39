import type { Session } from '@agentapi-proxy/client';
import type { ServerContext } from '@modelcontextprotocol/server';

/** Clients that reset their time limit at each sign of life wait no longer than a minute for one. */
const HEARTBEAT_MS = 10_000;

/** An agent redraws its message many times a second; nobody reads that fast. */
const MIN_INTERVAL_MS = 1_000;

/** The part of a message that a progress line shows. */
const EXCERPT_CHARS = 120;

/**
 * Tells the caller what the agent does while a tool waits for it. Does nothing when the caller asked for no progress.
 * Ends with its disposal.
 */
export class ProgressReport implements AsyncDisposable {
  readonly #context: ServerContext;
  readonly #stop = new AbortController();
  readonly #startedAt = performance.now();
  readonly #following: Promise<void>;
  #heartbeat: NodeJS.Timeout | undefined;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #lastText = 'waiting for the agent';

  constructor(session: Session, context: ServerContext) {
    this.#context = context;
    this.#following =
      context.mcpReq._meta?.progressToken === undefined ? Promise.resolve() : this.#follow(session);
  }

  async #follow(session: Session): Promise<void> {
    this.#heartbeat = setInterval(() => this.#send(), HEARTBEAT_MS);
    this.#send();
    try {
      for await (const event of session.events({ signal: this.#stop.signal, onSessionEnd: 'return' })) {
        if (event.kind === 'status_change') this.#lastText = `the agent is ${event.status}`;
        else if (event.kind === 'message_update' && event.message.role === 'agent') {
          this.#lastText = excerptOf(event.message.content) || this.#lastText;
        } else continue;
        if (performance.now() - this.#lastSentAt >= MIN_INTERVAL_MS) this.#send();
      }
    } catch {
      // The wait itself meets the same failure and reports it.
    }
  }

  #send(): void {
    const progressToken = this.#context.mcpReq._meta?.progressToken;
    if (progressToken === undefined) return;
    this.#lastSentAt = performance.now();
    // Seconds: they always grow, as the protocol demands.
    const progress = (this.#lastSentAt - this.#startedAt) / 1000;
    const params = { progressToken, progress, message: this.#lastText };
    // A caller who has gone needs no progress.
    this.#context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#stop.abort();
    await this.#following;
  }
}

function excerptOf(content: string): string {
  const line = content.trim().split('\n').at(-1) ?? '';
  return line.length > EXCERPT_CHARS ? `${line.slice(0, EXCERPT_CHARS)}…` : line;
}
