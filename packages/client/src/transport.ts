import type * as z from 'zod/mini';
import { apiErrorOf, redirectErrorOf } from './api-error.ts';
import { backoffMs } from './backoff.ts';
import { Deadline, sleep, untilAborted } from './deadline.ts';
import { ApiError, ClientError, ConnectionError, InvalidResponseError, TimeoutError } from './errors.ts';

/** The part of the platform's `fetch` that the client uses. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** Limits of one call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time for the whole call, retries included, in milliseconds; `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
}

/** One request, as {@link Transport} takes it. */
export interface TransportRequest extends CallOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL, each segment already encoded. */
  readonly path: string;
  readonly query?: URLSearchParams;
  /** Of this request, besides those of the client. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as `multipart/form-data`. */
  readonly form?: FormData;
  /** False for a `GET` that must not be repeated. */
  readonly retry?: boolean;
}

/** A repeated GET is worth it for a moment's trouble only; everything longer is the caller's decision. */
const MAX_RETRIES = 2;
const RETRY_PAUSES = { initialMs: 200, maxMs: 2_000 };

/** Sends requests with base URL and credentials, under time limits, and turns every failure into a typed error. */
export class Transport {
  readonly #baseUrl: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: FetchFunction;
  readonly #timeoutMs: number;

  constructor(options: {
    /** Absolute, without trailing slash. */
    readonly baseUrl: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly fetch: FetchFunction;
    /** For calls that name none. */
    readonly timeoutMs: number;
  }) {
    this.#baseUrl = options.baseUrl;
    this.#headers = options.headers;
    this.#fetch = options.fetch;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Calls and parses the JSON answer. */
  async json<T>(request: TransportRequest, schema: z.ZodMiniType<T>): Promise<T> {
    return (await this.jsonWithHeaders(request, schema)).body;
  }

  /** Calls and parses the JSON answer; for those whose headers matter. */
  jsonWithHeaders<T>(
    request: TransportRequest,
    schema: z.ZodMiniType<T>,
  ): Promise<{ readonly body: T; readonly headers: Headers }> {
    return this.#call(request, async (response) => {
      const parsed = schema.safeParse(parseJson(await response.text()));
      if (parsed.success) return { body: parsed.data, headers: response.headers };
      const issue = parsed.error.issues[0];
      const place = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
      throw new InvalidResponseError(
        `${named(request)}: unexpected answer: ${place}: ${issue?.code ?? 'invalid'}`,
        {
          cause: parsed.error,
        },
      );
    });
  }

  /** Calls and reads the answer as text. */
  text(request: TransportRequest): Promise<string> {
    return this.#call(request, (response) => response.text());
  }

  /**
   * Opens an event stream. The time limit of the transport covers the answer's head only. The caller aborts the
   * signal when it is done, also after an error: that is what closes the connection.
   */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const body = await this.streamUnlessOver(path, signal);
    if (body !== null) return body;
    throw new InvalidResponseError(`GET ${path}: no event stream, but no content`);
  }

  /** As {@link stream}; `null` when the server says that there is nothing to come. */
  async streamUnlessOver(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
    const request = { method: 'GET', path } as const;
    const head = new Deadline(named(request), this.#timeoutMs, signal);
    try {
      const response = await this.#send(request, 'text/event-stream', signal, head.signal);
      if (response.status === 204) return null;
      const type = response.headers.get('content-type') ?? 'none';
      if (response.body !== null && /^text\/event-stream\b/i.test(type)) return response.body;
      throw new InvalidResponseError(`${named(request)}: no event stream, but content type ${type}`);
    } finally {
      head.close();
    }
  }

  async #call<T>(request: TransportRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const what = named(request);
    const deadline = new Deadline(what, request.timeoutMs ?? this.#timeoutMs, request.signal);
    let failure: ClientError | undefined;
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const response = await this.#send(request, 'application/json', deadline.signal, deadline.signal);
          return await this.#guard(what, deadline.signal, read(response));
        } catch (error) {
          const pauseMs = retryPause(request, error, attempt);
          if (pauseMs === undefined || pauseMs >= deadline.remainingMs()) throw error;
          failure = error instanceof ClientError ? error : undefined;
          await sleep(pauseMs, deadline.signal);
        }
      }
    } catch (error) {
      if (error instanceof TimeoutError && failure !== undefined) {
        throw new TimeoutError(what, error.timeoutMs, { cause: failure });
      }
      throw error;
    } finally {
      deadline.close();
    }
  }

  async #send(
    request: TransportRequest,
    accept: string,
    connection: AbortSignal,
    limit: AbortSignal,
  ): Promise<Response> {
    const what = named(request);
    if (limit.aborted) throw limit.reason;
    const query = request.query?.toString() ?? '';
    const init: RequestInit = {
      method: request.method,
      headers: {
        ...this.#headers,
        ...request.headers,
        accept: `${accept}, application/problem+json`,
        ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      redirect: 'manual',
      signal: connection,
    };
    if (request.json !== undefined) init.body = JSON.stringify(request.json);
    else if (request.form !== undefined) init.body = request.form;
    const url = `${this.#baseUrl}${request.path}${query === '' ? '' : `?${query}`}`;
    const response = await this.#guard(what, limit, this.#fetch(url, init));
    if (response.ok) return response;
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      response.body?.cancel().catch(() => undefined);
      throw redirectErrorOf(response);
    }
    throw await this.#guard(what, limit, apiErrorOf(response));
  }

  // Every failure of the platform while a call runs is either the end we set or a broken connection.
  async #guard<T>(what: string, limit: AbortSignal, work: Promise<T>): Promise<T> {
    try {
      return await untilAborted(work, limit);
    } catch (error) {
      if (limit.aborted) throw limit.reason;
      if (error instanceof ClientError) throw error;
      throw connectionError(`${what} at ${this.#baseUrl}`, error);
    }
  }
}

/** Wraps what the platform throws for a broken connection, with the cause that tells something. */
export function connectionError(what: string, error: unknown): ConnectionError {
  // Node says "fetch failed" and hides the reason one level below.
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = inner instanceof Error ? inner.message || inner.name : String(inner);
  return new ConnectionError(`${what}: ${text}`, { cause: error });
}

function retryPause(request: TransportRequest, error: unknown, attempt: number): number | undefined {
  // Only reads: a start or a message that seems lost may have arrived.
  if (request.method !== 'GET' || request.retry === false || attempt > MAX_RETRIES) return undefined;
  if (error instanceof ConnectionError) return backoffMs(attempt, RETRY_PAUSES);
  if (error instanceof ApiError && error.status === 503) return error.retryAfterMs;
  return undefined;
}

function named(request: { readonly method: string; readonly path: string }): string {
  return `${request.method} ${request.path}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
