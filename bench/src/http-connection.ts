import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** From the call until the last byte of the answer. */
  readonly ms: number;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** One piece of an event stream and when it came. */
export interface Arrival {
  /** Of the clock that all processes of the machine share, in milliseconds. */
  readonly at: number;
  readonly text: string;
}

/** One keep-alive connection to a server on this machine; requests go one after another. */
export class HttpConnection implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(port: number, headers: Readonly<Record<string, string>> = {}) {
    this.#port = port;
    this.#headers = headers;
  }

  /** Rejects when the connection fails. */
  async send(path: string, options: RequestOptions = {}): Promise<Reply> {
    const start = performance.now();
    const response = await this.#open(path, options, this.#agent);
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, text, ms: performance.now() - start };
  }

  /** @throws {Error} for any other answer than one of status 2xx. */
  async expect(path: string, options: RequestOptions = {}): Promise<Reply> {
    const reply = await this.send(path, options);
    if (reply.status < 200 || reply.status > 299) {
      throw new Error(`${options.method ?? 'GET'} ${path} answered ${reply.status}: ${reply.text}`);
    }
    return reply;
  }

  /** Collects an event stream, on a connection of its own, until `isOver` says so of a piece of it. */
  async collect(
    path: string,
    limitMs: number,
    onOpen: () => Promise<void>,
    isOver: (text: string) => boolean,
  ): Promise<readonly Arrival[]> {
    const response = await this.#open(path, {}, false);
    response.setEncoding('utf8');
    const timer = setTimeout(
      () => response.destroy(new Error(`the events took longer than ${limitMs / 1000} s`)),
      limitMs,
    );
    const arrivals: Arrival[] = [];
    const reading = (async () => {
      for await (const chunk of response) {
        const text = String(chunk);
        arrivals.push({ at: machineClock(), text });
        if (isOver(text)) return;
      }
      throw new Error('the event stream ended early');
    })();
    try {
      await Promise.all([reading, onOpen()]);
      return arrivals;
    } finally {
      clearTimeout(timer);
      response.destroy();
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #open(
    path: string,
    { method = 'GET', body }: RequestOptions,
    agent: Agent | false,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = {
        ...this.#headers,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      };
      request({ agent, host: '127.0.0.1', port: this.#port, path, method, headers }, resolve)
        .once('error', reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/** Milliseconds of a clock that all processes of the machine share. */
export function machineClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
