import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentType } from '../../src/agent-type.ts';
import {
  SendError,
  type AgentError,
  type AgentStatus,
  type Conversation,
  type ConversationEvent,
  type Message,
  type Question,
  type WaitingFor,
} from '../../src/conversation/conversation-model.ts';
import { HttpApi, type HttpApiOptions } from '../../src/http/router.ts';
import { createLog } from '../../src/log.ts';

/** A conversation whose events the test decides; it checks messages as the interface demands. */
export class TestConversation implements Conversation {
  readonly agentType: AgentType = 'custom';
  readonly transport = 'pty';
  readonly sent: { readonly type: 'user' | 'raw'; readonly content: string }[] = [];
  readonly errorList: AgentError[] = [];
  messageList: Message[] = [{ id: 0, role: 'agent', content: 'hello\n> ', time: new Date(0) }];
  currentStatus: AgentStatus = 'stable';
  currentWait: WaitingFor | null = 'message';
  currentScreen = 'hello   \n>       \n';
  /** When set, a user message is delivered only once this has settled. */
  delivery: Promise<void> | undefined;
  readonly #listeners = new Set<(event: ConversationEvent) => void>();

  status(): AgentStatus {
    return this.currentStatus;
  }

  waitingFor(): WaitingFor | null {
    return this.currentWait;
  }

  question(): Question | null {
    return this.currentWait === 'message' ? null : this.currentWait;
  }

  messages(): readonly Message[] {
    return [...this.messageList];
  }

  errors(): readonly AgentError[] {
    return [...this.errorList];
  }

  screen(): string {
    return this.currentScreen;
  }

  async send(type: 'user' | 'raw', content: string): Promise<void> {
    if (type === 'user') {
      if (content === '') throw new SendError('empty', 'message must not be empty');
      if (this.currentStatus !== 'stable') {
        throw new SendError('busy', 'message can only be sent when the agent is waiting for user input');
      }
      this.currentStatus = 'running';
      await this.delivery;
      this.messageList.push({ id: this.messageList.length, role: 'user', content, time: new Date() });
    }
    this.sent.push({ type, content });
  }

  subscribe(listener: (event: ConversationEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get subscribers(): number {
    return this.#listeners.size;
  }

  emit(event: ConversationEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Every value of one header, in order. */
  all(name: string): readonly string[];
  readonly text: string;
  /** The body as a JSON object. */
  json(): Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface EventRecord {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** One open event stream. */
export interface TestStream extends AsyncDisposable {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Everything received so far. */
  raw(): string;
  /** The events received so far. */
  events(): readonly EventRecord[];
  /** Waits until `enough` holds for the events. */
  until(enough: (events: readonly EventRecord[]) => boolean): Promise<readonly EventRecord[]>;
  /** Resolves when the server has ended the stream; `false` when the connection broke instead. */
  readonly ended: Promise<boolean>;
}

export interface ServedApi extends AsyncDisposable {
  readonly port: number;
  readonly api: HttpApi;
  readonly conversation: TestConversation;
  /** Where uploads land. */
  readonly folder: string;
  readonly logLines: readonly string[];
  call(call: Call): Promise<Reply>;
  stream(path: string, headers?: Readonly<Record<string, string>>): Promise<TestStream>;
}

/** Serves the HTTP interface around a test conversation. */
export async function serveApi(options: Partial<HttpApiOptions> = {}): Promise<ServedApi> {
  const conversation = new TestConversation();
  const folder = await mkdtemp(join(tmpdir(), 'agentapi-http-test-'));
  const logLines: string[] = [];
  const settings: HttpApiOptions = {
    conversation: Promise.resolve(conversation),
    agentType: conversation.agentType,
    transport: conversation.transport,
    allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
    allowedOrigins: ['http://localhost:3284', 'http://localhost:3000', 'http://localhost:3001'],
    chatBasePath: '/chat',
    token: undefined,
    log: createLog((line) => logLines.push(line)),
    uploadParent: folder,
    ...options,
  };
  let api: HttpApi;
  try {
    api = new HttpApi(settings);
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  const server = createServer({ requireHostHeader: false }, (request, response) =>
    api.handle(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  return {
    port,
    api,
    conversation,
    folder,
    logLines,
    call: (call) => callServer(port, call),
    stream: (path, headers) => openStream(port, path, headers),
    [Symbol.asyncDispose]: async () => {
      await api.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Sends one request on a connection of its own. */
export function callServer(port: number, call: Call): Promise<Reply> {
  const { method = 'GET', path, headers = {}, body } = call;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          all: (name) => valuesOf(response.rawHeaders, name),
          text,
          json: () => asRecord(JSON.parse(text)),
        });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
    for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
    request.end(body);
  });
}

/** Opens an event stream; rejects when the answer is none. */
export function openStream(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestStream> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let raw = '';
      const waiting = new Set<() => void>();
      response.setEncoding('utf8').on('data', (chunk: string) => {
        raw += chunk;
        for (const check of waiting) check();
      });
      const ended = new Promise<boolean>((settle) => {
        response.once('end', () => settle(true));
        response.once('close', () => settle(false)).on('error', () => {});
      });
      let parsed: EventRecord[] = [];
      let parsedTo = 0;
      const events = () => {
        const last = raw.lastIndexOf('\n\n');
        const end = last < 0 ? 0 : last + 2;
        if (end > parsedTo) parsed = [...parsed, ...parseEvents(raw.slice(parsedTo, end))];
        parsedTo = Math.max(parsedTo, end);
        return parsed;
      };
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        raw: () => raw,
        events,
        ended,
        until: (enough) =>
          new Promise((settle, fail) => {
            const limit = setTimeout(() => fail(new Error(`not in the stream:\n${raw}`)), 15_000);
            const check = () => {
              if (!enough(events())) return;
              clearTimeout(limit);
              waiting.delete(check);
              settle(events());
            };
            waiting.add(check);
            check();
          }),
        [Symbol.asyncDispose]: async () => {
          response.destroy();
          await ended;
        },
      });
    });
    request.once('error', reject).end();
  });
}

/** Sends bytes as they are and returns everything that comes back until the server closes. */
export function exchangeRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.once('close', () => resolve(received)).once('error', reject);
  });
}

/** Polls a condition that no event announces. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still not true after 15 s: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return Object.fromEntries(Object.entries(value));
}

function parseEvents(raw: string): EventRecord[] {
  return raw
    .split('\n\n')
    .slice(0, -1)
    .filter((frame) => frame.startsWith('event: '))
    .map((frame) => {
      const [event = '', data = ''] = frame.split('\n');
      return {
        event: event.slice('event: '.length),
        data: asRecord(JSON.parse(data.slice('data: '.length))),
      };
    });
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
  );
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
