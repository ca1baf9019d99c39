import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import type { AgentStatus, Message, SessionDetails, SessionState } from '../src/index.ts';

const messageBody = z.strictObject({ content: z.string(), type: z.enum(['user', 'raw']) });

const TIME = '2026-01-01T12:00:00.355+02:00';

const VERSION = {
  name: 'agentapi-proxy',
  version: '0.1.0',
  node: 'v20.19.0',
  agent_server: 'embedded',
  default_agent: 'demo',
  started_at: TIME,
};

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Handler = (request: SeenRequest, response: ServerResponse) => void;

/** A session with an agent that does what the test says. */
export class TestSession {
  readonly id: string;
  state: SessionState = 'running';
  status: AgentStatus = 'stable';
  readonly messages: Message[] = [];
  readonly errors: string[] = [];
  readonly streams = new Set<ServerResponse>();
  /** Members of the record that differ from the ordinary. */
  record: Partial<SessionDetails> = {};
  /** What the agent does with a message that it takes. */
  onMessage: (content: string) => void = () => undefined;
  /** What was typed as raw keys. */
  keys = '';
  /** What the server keeps after the end: a record, or nothing. */
  forgotten = false;
  #arrivals: (() => void)[] = [];

  constructor(id: string) {
    this.id = id;
  }

  setStatus(status: AgentStatus): void {
    this.status = status;
    this.emit('status_change', { status, agent_type: 'demo' });
  }

  /** Adds a message, or changes the one with this id. */
  say(role: Message['role'], content: string, id = this.messages.length): void {
    this.messages[id] = { id, role, content, time: TIME };
    this.emit('message_update', { id, role, message: content, time: TIME });
  }

  fail(message: string): void {
    const event = { message, level: 'error', time: TIME };
    this.errors.push(JSON.stringify(event));
    this.emit('agent_error', event);
  }

  emit(name: string, data: unknown): void {
    for (const stream of this.streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  comment(): void {
    for (const stream of this.streams) stream.write(': keep-alive\n\n');
  }

  /** Breaks all event streams, as a lost network does. */
  breakStreams(): void {
    for (const stream of this.streams) stream.destroy();
  }

  end(state: SessionState = 'stopped', record: Partial<SessionDetails> = {}): void {
    this.state = state;
    this.record = record;
    for (const stream of this.streams) stream.end();
  }

  subscribe(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    this.streams.add(response);
    response.on('close', () => {
      this.streams.delete(response);
      this.#wake();
    });
    const frames = [
      ...this.messages.map(
        ({ content, ...rest }) => ['message_update', { ...rest, message: content }] as const,
      ),
      ['status_change', { status: this.status, agent_type: 'demo' }] as const,
    ].map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    response.write(
      frames.join('') + this.errors.map((error) => `event: agent_error\ndata: ${error}\n\n`).join(''),
    );
    this.#wake();
  }

  /** Resolves when exactly so many event streams are open. */
  async untilStreams(count: number): Promise<void> {
    while (this.streams.size !== count) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  details(): Record<string, unknown> {
    return {
      session_id: this.id,
      user_id: 'alice',
      status: 'active',
      state: this.state,
      agent: 'demo',
      agent_type: 'custom',
      agent_server: 'embedded',
      port: 9000,
      started_at: TIME,
      created_at: TIME,
      updated_at: TIME,
      tags: null,
      environment_names: ['A'],
      exit_code: null,
      exit_signal: null,
      last_output: [],
      history: [{ state: 'creating', at: TIME }],
      ...this.record,
    };
  }

  #wake(): void {
    const waiting = this.#arrivals;
    this.#arrivals = [];
    for (const resolve of waiting) resolve();
  }
}

/** A small server that answers as the proxy and its agent servers do. */
export class TestProxy implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly sessions = new Map<string, TestSession>();
  readonly #server: Server;
  readonly #overrides: { readonly route: string; readonly handle: Handler; times: number }[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const seen = { method, url, headers, body: Buffer.concat(chunks).toString('latin1') };
        this.requests.push(seen);
        this.#route(seen, response);
      });
    });
  }

  static async start(): Promise<TestProxy> {
    const proxy = new TestProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get baseUrl(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the test proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  session(id = 's1'): TestSession {
    const session = new TestSession(id);
    this.sessions.set(id, session);
    return session;
  }

  /** Answers the next requests to `METHOD /path` (without query) differently. */
  override(route: string, handle: Handler, times = 1): void {
    this.#overrides.push({ route, handle, times });
  }

  /** How often `METHOD /path` was asked for. */
  count(route: string): number {
    return this.requests.filter((request) => routeOf(request) === route).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #route(request: SeenRequest, response: ServerResponse): void {
    const route = routeOf(request);
    const override = this.#overrides.find((candidate) => candidate.route === route && candidate.times > 0);
    if (override !== undefined) {
      override.times -= 1;
      override.handle(request, response);
      return;
    }
    const url = new URL(request.url, 'http://localhost');
    const [first = '', second = '', third] = url.pathname.slice(1).split('/');
    if (route === 'GET /health') return json(response, 200, { status: 'ok', sessions: 1 });
    if (route === 'GET /version') return json(response, 200, VERSION);
    if (route === 'POST /start')
      return json(response, 200, { session_id: this.session(crypto.randomUUID()).id });
    if (route === 'GET /search')
      return json(response, 200, { sessions: [...this.sessions.values()].map((s) => s.details()) });
    const session = this.sessions.get(decodeURIComponent(first === 'sessions' ? second : first));
    if (session === undefined || session.forgotten) return notFound(response);
    if (first === 'sessions') return this.#control(request, session, third, response);
    if (session.state === 'stopped' || session.state === 'failed') return notFound(response);
    return agent(request, session, second, response);
  }

  #control(
    request: SeenRequest,
    session: TestSession,
    part: string | undefined,
    response: ServerResponse,
  ): void {
    if (part === 'log') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
      response.end('line 1\nline 2\n');
    } else if (request.method === 'DELETE') {
      session.end();
      json(response, 200, {
        message: 'Session terminated successfully',
        session_id: session.id,
        status: 'terminated',
      });
    } else {
      json(response, 200, session.details());
    }
  }
}

function agent(request: SeenRequest, session: TestSession, route: string, response: ServerResponse): void {
  switch (`${request.method} ${route}`) {
    case 'GET status':
      return json(response, 200, {
        $schema: 'x',
        status: session.status,
        agent_type: 'demo',
        transport: 'pty',
      });
    case 'GET messages':
      return json(response, 200, { $schema: 'x', messages: session.messages });
    case 'GET events':
      return session.subscribe(response);
    case 'POST upload':
      return json(response, 200, { ok: true, filePath: '/tmp/x/name.txt' });
    case 'POST message': {
      const { content, type } = messageBody.parse(JSON.parse(Buffer.from(request.body, 'latin1').toString()));
      if (type === 'raw') {
        session.keys += content;
      } else {
        if (session.status !== 'stable') return busy(response);
        session.onMessage(content);
      }
      return json(response, 200, { $schema: 'x', ok: true });
    }
    default:
      response.writeHead(404, { 'content-type': 'text/plain' });
      response.end('404 page not found\n');
  }
}

/** The refusal of an agent that is at work. */
export function busy(response: ServerResponse): void {
  const reason = 'message can only be sent when the agent is waiting for user input';
  const errors = [{ message: `failed to send message: ${reason}` }];
  const problem = {
    title: 'Internal Server Error',
    status: 500,
    detail: 'unexpected error occurred',
    errors,
  };
  json(response, 500, problem, { 'content-type': 'application/problem+json' });
}

export function notFound(response: ServerResponse): void {
  json(response, 404, { message: 'Session not found', code: 'session_not_found', request_id: 'r-404' });
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}

function routeOf({ method, url }: SeenRequest): string {
  return `${method} ${url.split('?')[0] ?? ''}`;
}
