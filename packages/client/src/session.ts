import type { AgentEvent } from './agent-event.ts';
import { InvalidArgumentError } from './errors.ts';
import { sessionEvents, type EventsOptions } from './events.ts';
import { pathSegment } from './path-segment.ts';
import { waitUntilReady } from './readiness.ts';
import {
  agentStatusReportSchema,
  deleteResultSchema,
  messageReplySchema,
  messagesReplySchema,
  sessionDetailsSchema,
  startReplySchema,
  uploadedFileSchema,
  type AgentStatusReport,
  type DeleteResult,
  type Message,
  type SessionDetails,
  type UploadedFile,
} from './schemas.ts';
import { SessionAgent } from './session-agent.ts';
import { SessionConversation } from './session-conversation.ts';
import { SessionGit } from './session-git.ts';
import { SessionShares } from './session-shares.ts';
import type { CallOptions, Transport } from './transport.ts';
import { sendAndWait, type Turn } from './turn.ts';

/** Options of `log`. */
export interface LogOptions extends CallOptions {
  /** Only the last so many lines. */
  readonly lines?: number | undefined;
}

/** Options of `send`. */
export interface SendOptions extends CallOptions {
  /**
   * `user` (default): a message, recorded in the conversation; refused unless the agent waits for input.
   * `raw`: keystrokes for the agent's terminal, written byte for byte at any time and not recorded.
   */
  readonly type?: 'user' | 'raw' | undefined;
}

/** Content of a file to upload. */
export type UploadData = Blob | ArrayBuffer | Uint8Array | string;

/** An agent server types the message into a terminal and waits for the reaction, which takes up to 17 s (agentapi 3.5). */
const SEND_TIMEOUT_MS = 60_000;

/** Up to 10 MiB over a slow line. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** How long the record may take that explains why a stream broke. */
const INSPECT_TIMEOUT_MS = 5_000;

/**
 * One session. Creating a handle makes no request and does not tell whether the session exists.
 *
 * Every method rejects with an {@link ApiError} (kind `not_found` when there is no such session), a
 * {@link ConnectionError} or a {@link TimeoutError}.
 */
export class Session {
  /** As `POST /start` returned it. */
  readonly id: string;
  /** Who may use it besides its owner. */
  readonly shares: SessionShares;
  /** What the agent has changed in its repository. */
  readonly git: SessionGit;
  /** What the server keeps of the conversation, and the queue of messages to the agent. */
  readonly conversation: SessionConversation;
  /** What its agent asks and does besides talking. */
  readonly agent: SessionAgent;
  readonly #segment: string;
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport, id: string) {
    this.#segment = pathSegment('session', id);
    this.#transport = transport;
    this.id = id;
    this.shares = new SessionShares(transport, this.#record());
    this.git = new SessionGit(transport, this.#record());
    this.conversation = new SessionConversation(transport, this.#record());
    this.agent = new SessionAgent(transport, (route) => this.#agent(route));
  }

  /** The session's record: state, agent, times, reason of a failure. */
  details(options: CallOptions = {}): Promise<SessionDetails> {
    return this.#transport.json({ ...options, method: 'GET', path: this.#record() }, sessionDetailsSchema);
  }

  /** The output of the session's processes. */
  log({ lines, ...options }: LogOptions = {}): Promise<string> {
    const query = new URLSearchParams(lines === undefined ? {} : { lines: String(lines) });
    return this.#transport.text({ ...options, method: 'GET', path: `${this.#record()}/log`, query });
  }

  /**
   * Starts a session that has ended again, in its workspace and with its conversation; the handle stays good.
   *
   * @throws ApiError of kind `conflict` while it lives, or when its workspace is gone
   */
  async resume(options: CallOptions = {}): Promise<void> {
    const call = { ...options, method: 'POST', path: `${this.#record()}/resume` } as const;
    await this.#transport.json(call, startReplySchema);
  }

  /** Ends the session; resolves when its processes are gone. */
  delete(options: CallOptions = {}): Promise<DeleteResult> {
    return this.#transport.json({ ...options, method: 'DELETE', path: this.#record() }, deleteResultSchema);
  }

  /** Whether the agent works or waits for input. */
  status(options: CallOptions = {}): Promise<AgentStatusReport> {
    return this.#transport.json(
      { ...options, method: 'GET', path: this.#agent('status') },
      agentStatusReportSchema,
    );
  }

  /** The conversation so far, oldest message first (PX-214). */
  async messages(options: CallOptions = {}): Promise<readonly Message[]> {
    const request = { ...options, method: 'GET', path: this.#agent('messages') } as const;
    return (await this.#transport.json(request, messagesReplySchema)).messages;
  }

  /**
   * Sends a message. Resolves when the agent has taken it, not when it has answered; see {@link Session.sendAndWait}.
   * Never repeated: after a {@link ConnectionError} or a {@link TimeoutError} look into `messages()`.
   *
   * @throws InvalidArgumentError for a `user` message without any text
   * @throws ApiError of kind `agent_busy` when the agent does not wait for input
   */
  async send(content: string, { type = 'user', ...options }: SendOptions = {}): Promise<void> {
    if (type === 'user' && content.trim() === '') throw new InvalidArgumentError('The message is empty');
    await this.#transport.json(
      {
        timeoutMs: SEND_TIMEOUT_MS,
        ...options,
        method: 'POST',
        path: this.#agent('message'),
        json: { content, type },
      },
      messageReplySchema,
    );
  }

  /** Types into the agent's terminal, byte for byte: `session.sendRaw('\u001b')` is the Escape key. */
  sendRaw(keys: string, options: CallOptions = {}): Promise<void> {
    return this.send(keys, { ...options, type: 'raw' });
  }

  /** Stores a file of at most 10 MiB where the agent can read it. */
  upload(name: string, data: UploadData, options: CallOptions = {}): Promise<UploadedFile> {
    const form = new FormData();
    // The copy frees the bytes of a possibly shared buffer, which a `Blob` does not take.
    const blob =
      data instanceof Blob ? data : new Blob([data instanceof Uint8Array ? new Uint8Array(data) : data]);
    form.append('file', blob, name);
    return this.#transport.json(
      { timeoutMs: UPLOAD_TIMEOUT_MS, ...options, method: 'POST', path: this.#agent('upload'), form },
      uploadedFileSchema,
    );
  }

  /**
   * The conversation as it happens: first everything so far, then every change. Lost and silent connections are
   * replaced, and what the server then repeats is left out (PX-215). Each iteration has its own connection;
   * leaving the loop closes it.
   *
   * @throws SessionEndedError (from the iterator) when the session is over; see `onSessionEnd`
   */
  events(options: EventsOptions = {}): AsyncIterable<AgentEvent> {
    return sessionEvents(
      {
        sessionId: this.id,
        path: this.#agent('events'),
        transport: this.#transport,
        inspect: (signal) => this.#inspect(signal),
      },
      options,
    );
  }

  /**
   * Resolves when the agent waits for input and the message given at the start, if any, has been answered or has
   * failed. Limit: 2 minutes unless `timeoutMs` says otherwise.
   *
   * @throws SessionEndedError when the session fails or ends instead; it carries reason and last output
   */
  waitUntilReady(options: CallOptions = {}): Promise<void> {
    return waitUntilReady(this, options);
  }

  /**
   * Waits until the agent is ready, sends a message and resolves with the agent's answer once it waits for input
   * again. Limit for all of it: 10 minutes unless `timeoutMs` says otherwise.
   *
   * @throws SessionEndedError when the session ends before the answer is complete
   */
  async sendAndWait(content: string, options: CallOptions = {}): Promise<Turn> {
    if (content.trim() === '') throw new InvalidArgumentError('The message is empty');
    return sendAndWait(this, content, options);
  }

  #record(): string {
    return `/sessions/${this.#segment}`;
  }

  #agent(route: string): string {
    return `/${this.#segment}/${route}`;
  }

  #inspect(signal: AbortSignal): Promise<SessionDetails> {
    return this.#transport.json(
      { method: 'GET', path: this.#record(), signal, timeoutMs: INSPECT_TIMEOUT_MS, retry: false },
      sessionDetailsSchema,
    );
  }
}
