import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { TOKEN_HEADER } from '@agentapi-proxy/agent-server/control';
import type { Endpoint } from '../sessions/session.ts';
import { conversationEvents } from './conversation-events.ts';

const messagesSchema = z.object({
  messages: z.array(z.object({ role: z.enum(['agent', 'user']), content: z.string() })),
});
const statusSchema = z.object({ status: z.enum(['running', 'stable']) });
const problemSchema = z.object({
  detail: z.string().optional(),
  errors: z.array(z.object({ message: z.string().optional() })).optional(),
});

/** The reason that every agentapi-compatible server gives while its agent works (agentapi section 2.6). */
const BUSY_REASON = 'message can only be sent when the agent is waiting for user input';

/** Pause before an event stream that ended early is opened again. */
const RECONNECT_MS = 250;

/** Result of handing a message to an agent server. */
export type SendOutcome =
  | { readonly kind: 'sent' }
  /** The agent works; nothing was typed. */
  | { readonly kind: 'busy' }
  /** The agent server answered with an error. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The connection broke before an answer: it may or may not have been typed. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Talks agentapi's protocol to the agent server of one session. */
export class AgentClient {
  readonly #endpoint: Endpoint;
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#origin = `http://127.0.0.1:${endpoint.port}`;
    this.#headers = endpoint.token === null ? {} : { [TOKEN_HEADER]: endpoint.token };
  }

  /** Resolves when the agent waits for input. Rejects when `signal` aborts. */
  async untilStable(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        if (await this.#streamSaysStable(signal)) return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Error)) throw error;
      }
      await pause(RECONNECT_MS, undefined, { signal });
    }
  }

  /** Sends one user message. Rejects only when `signal` aborts. */
  async send(content: string, signal: AbortSignal): Promise<SendOutcome> {
    try {
      const response = await request(`${this.#origin}/message`, {
        method: 'POST',
        headers: { ...this.#headers, 'content-type': 'application/json' },
        body: JSON.stringify({ content, type: 'user' }),
        signal,
      });
      const text = await response.body.text();
      if (response.statusCode === 200) return { kind: 'sent' };
      const reason = reasonOf(text) ?? `HTTP ${response.statusCode}`;
      return reason.includes(BUSY_REASON) ? { kind: 'busy' } : { kind: 'refused', reason };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'unknown', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Whether the agent works or waits for input. Rejects when it cannot be asked. */
  async status(signal: AbortSignal): Promise<'running' | 'stable'> {
    const response = await request(`${this.#origin}/status`, { headers: this.#headers, signal });
    return statusSchema.parse(await response.body.json()).status;
  }

  /** Texts of the user messages in the history, oldest first. */
  async userMessages(signal: AbortSignal): Promise<readonly string[]> {
    const response = await request(`${this.#origin}/messages`, { headers: this.#headers, signal });
    const { messages } = messagesSchema.parse(await response.body.json());
    return messages.filter((message) => message.role === 'user').map((message) => message.content);
  }

  async #streamSaysStable(signal: AbortSignal): Promise<boolean> {
    for await (const event of conversationEvents(this.#endpoint, signal)) {
      if (event.kind === 'status' && event.status === 'stable') return true;
    }
    return false;
  }
}

function reasonOf(body: string): string | null {
  try {
    const problem = problemSchema.parse(JSON.parse(body));
    return problem.errors?.find((entry) => entry.message !== undefined)?.message ?? problem.detail ?? null;
  } catch {
    return null;
  }
}
