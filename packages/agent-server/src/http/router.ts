import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AgentType } from '../agent-type.ts';
import { SendError, type Conversation } from '../conversation/conversation-model.ts';
import type { Log } from '../log.ts';
import { conversationStream, screenStream, trimAscii } from './conversation-events.ts';
import { createCors, type Cors } from './cors.ts';
import { createHostCheck, type HostCheck } from './host-check.ts';
import { Problem, unexpectedProblem, validationProblem } from './problem.ts';
import {
  sendJson,
  sendPlainError,
  sendProblem,
  sendRedirect,
  sendText,
  sendWrongMethod,
  type Exchange,
} from './reply.ts';
import { BODY_TIMEOUT_MS, CallerGone, parseMessageRequest, readBody } from './request-body.ts';
import { EventStreams } from './sse.ts';
import { createTokenCheck, type TokenCheck } from './token-check.ts';
import { UploadFolder } from './upload.ts';

export interface HttpApiOptions {
  /** Requests that need it wait; a rejection is answered with 500. */
  readonly conversation: Promise<Conversation>;
  readonly agentType: AgentType;
  readonly transport: Conversation['transport'];
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Where a browser sees the chat page; only the redirect of `/` depends on it (AA-036). */
  readonly chatBasePath: string;
  /** What every request must present; `undefined` for an open server. */
  readonly token: string | undefined;
  readonly log: Log;
  /** Tell more than agentapi does: what the agent waits for, and whose fault a refusal is (AA-173). */
  readonly extended?: boolean;
  /** Routes beyond agentapi's own, by path: what a transport offers in addition. */
  readonly extraRoute?: (path: string) => Route | undefined;
  /** Where the folder of the uploads is created; the system's temporary folder by default. */
  readonly uploadParent?: string;
  /** Silence after which a stream sends a comment; 15 s by default. */
  readonly keepAliveMs?: number;
  /** Time for a JSON body to arrive; 5 s by default. */
  readonly bodyTimeoutMs?: number;
}

/** Answers one request; event streams are opened through `streams`, which ends them at shutdown. */
export type Handler = (exchange: Exchange, streams: EventStreams) => void | Promise<void>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'any';
  readonly handler: Handler;
}

/** What stands below a folder rather than at one path. */
const FOLDERS: readonly { readonly prefix: string; readonly route: Route }[] = [
  { prefix: '/chat/', route: { method: 'any', handler: sendChat } },
  { prefix: '/schemas/', route: { method: 'GET', handler: sendSchema } },
];

/** The HTTP interface of one conversation (agentapi section 2). */
export class HttpApi {
  readonly #conversation: Promise<Conversation>;
  readonly #options: HttpApiOptions;
  readonly #hosts: HostCheck;
  readonly #cors: Cors;
  readonly #token: TokenCheck | undefined;
  readonly #streams: EventStreams;
  readonly #uploads: UploadFolder;
  readonly #routes: ReadonlyMap<string, Route>;
  #current: Conversation | undefined;
  #refusalLogged = false;

  /** @throws {Error} when the host list or the origin list is invalid (AA-027, AA-031). */
  constructor(options: HttpApiOptions) {
    this.#options = options;
    this.#hosts = parseList('hosts', () => createHostCheck(options.allowedHosts));
    this.#cors = parseList('origins', () => createCors(options.allowedOrigins));
    this.#token = options.token === undefined ? undefined : createTokenCheck(options.token);
    this.#streams = new EventStreams(options.keepAliveMs);
    this.#uploads = new UploadFolder(options.uploadParent);
    this.#conversation = options.conversation;
    void this.#remember(options.conversation);
    const get = (handler: Handler): Route => ({ method: 'GET', handler });
    const post = (handler: Handler): Route => ({ method: 'POST', handler });
    const any = (handler: Handler): Route => ({ method: 'any', handler });
    this.#routes = new Map([
      ['/status', get((exchange) => this.#status(exchange))],
      ['/messages', get((exchange) => this.#messages(exchange))],
      ['/message', post((exchange) => this.#message(exchange))],
      ['/upload', post((exchange) => this.#upload(exchange))],
      [
        '/events',
        get(async ({ request, response }) => {
          const stream = conversationStream(await this.#agent(), wantsQuestions(request));
          this.#streams.open(response, stream);
        }),
      ],
      [
        '/internal/screen',
        get(async ({ response }) => this.#streams.open(response, screenStream(await this.#agent()))),
      ],
      ['/openapi.json', get((exchange) => sendOpenApi(exchange, '3.1', 'json'))],
      ['/openapi.yaml', get((exchange) => sendOpenApi(exchange, '3.1', 'yaml'))],
      ['/openapi-3.0.json', get((exchange) => sendOpenApi(exchange, '3.0', 'json'))],
      ['/openapi-3.0.yaml', get((exchange) => sendOpenApi(exchange, '3.0', 'yaml'))],
      ['/docs', get(sendDocs)],
      ['/', any((exchange) => this.#redirectToChat(exchange))],
      ['/chat', any(sendChat)],
    ]);
  }

  /** Answers one request; never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = { request, response, ...splitTarget(request) };
    // Host and CORS rules are for browsers; whoever lacks the token learns nothing at all.
    if (this.#token !== undefined && !this.#token(request)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      sendProblem(exchange, new Problem(401, 'a valid token is required'));
      return;
    }
    if (!this.#hosts.allows(exchange.host)) {
      this.#logRefusal(exchange.host);
      sendPlainError(exchange, 400, `Invalid host header. Allowed hosts: ${this.#hosts.shown}`);
      return;
    }
    if (this.#cors.apply(request, response)) return;
    this.#route(exchange).catch((error: unknown) => this.#fail(exchange, error));
  }

  /** Ends the event streams; requests in progress go on. */
  endStreams(): void {
    this.#streams.close();
  }

  /** Ends the streams and deletes the uploads; call it when no request is in progress any more. */
  async close(): Promise<void> {
    this.endStreams();
    await this.#uploads.dispose();
  }

  async #route(exchange: Exchange): Promise<void> {
    const { path, request } = exchange;
    const route =
      this.#routes.get(path) ??
      FOLDERS.find(({ prefix }) => path.startsWith(prefix))?.route ??
      this.#options.extraRoute?.(path);
    if (route === undefined) sendPlainError(exchange, 404, '404 page not found');
    else if (route.method === 'any' || route.method === request.method)
      await route.handler(exchange, this.#streams);
    else sendWrongMethod(exchange, route.method);
  }

  /** Never throws: nobody is left to catch it. */
  #fail(exchange: Exchange, error: unknown): void {
    try {
      this.#answerFailure(exchange, error);
    } catch {
      exchange.response.destroy();
    }
  }

  #answerFailure(exchange: Exchange, error: unknown): void {
    if (error instanceof CallerGone) return;
    const { response } = exchange;
    if (!(error instanceof Problem)) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.error('Request failed', { path: exchange.path, reason });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const problem = error instanceof Problem ? error : unexpectedProblem('internal error');
    // The rest of a late body may never come: do not wait for it on this connection.
    if (problem.status === 408) response.setHeader('Connection', 'close');
    sendProblem(exchange, problem);
  }

  /** Never rejects: whoever waits for the conversation gets its failure, and nobody may be waiting. */
  async #remember(conversation: Promise<Conversation>): Promise<void> {
    this.#current = await conversation.catch(() => undefined);
  }

  async #agent(): Promise<Conversation> {
    return this.#conversation.catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : 'unknown error';
      throw unexpectedProblem(`the agent could not be started: ${reason}`);
    });
  }

  #status(exchange: Exchange): void {
    const { agentType, transport } = this.#options;
    // An agent that is still being started has the status of one that is not ready.
    const status = this.#current?.status() ?? 'running';
    sendJson(exchange, 'StatusResponseBody', {
      status,
      agent_type: agentType,
      transport,
      ...(this.#options.extended === true ? { waiting_for: this.#current?.waitingFor() ?? null } : {}),
    });
  }

  async #messages(exchange: Exchange): Promise<void> {
    const messages = (await this.#agent()).messages();
    sendJson(exchange, 'MessagesResponseBody', {
      messages: messages.map(({ id, content, role, time }) => ({ id, content, role, time })),
    });
  }

  async #message(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    const body = await readBody(request, this.#options.bodyTimeoutMs ?? BODY_TIMEOUT_MS);
    const { type, content } = parseMessageRequest(body, request.headers['content-type']);
    const agent = await this.#agent();
    try {
      await agent.send(type, type === 'user' ? trimAscii(content) : content);
    } catch (error) {
      throw error instanceof SendError ? sendProblemOf(error, this.#options.extended === true) : error;
    }
    sendJson(exchange, 'MessageResponseBody', { ok: true });
  }

  async #upload(exchange: Exchange): Promise<void> {
    const filePath = await this.#uploads.receive(exchange.request);
    sendJson(exchange, 'UploadResponseBody', { ok: true, filePath });
  }

  #redirectToChat(exchange: Exchange): void {
    sendRedirect(exchange, 307, `${this.#options.chatBasePath.replace(/\/$/u, '')}/embed`);
  }

  /** Once: a page that polls would fill the log. */
  #logRefusal(host: string): void {
    if (this.#refusalLogged) return;
    this.#refusalLogged = true;
    this.#options.log.warn('Request refused: its Host header is not in --allowed-hosts', {
      host,
      allowed: this.#hosts.shown,
    });
  }
}

/** A client of agentapi expects 500 whatever the reason; one that asked for more learns whose turn it is. */
function sendProblemOf({ reason, message }: SendError, extended: boolean): Problem {
  const detail = { message: `failed to send message: ${message}` };
  if (!extended) return unexpectedProblem(detail.message);
  switch (reason) {
    case 'empty':
    case 'untrimmed':
      return validationProblem([{ ...detail, location: 'body.content' }]);
    case 'busy':
    case 'dialog':
      return new Problem(409, reason === 'busy' ? 'the agent is busy' : 'a dialog is up', [detail]);
    case 'delivery':
    case 'closed':
      return unexpectedProblem(detail.message);
  }
}

function parseList<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to create server: failed to parse allowed ${name}: ${reason}`, { cause: error });
  }
}

/** The path as sent, and the host: a target in absolute form carries its own (RFC 9112, section 3.2.2). */
function splitTarget(request: IncomingMessage): { readonly path: string; readonly host: string } {
  const target = request.url ?? '/';
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/iu.exec(target) ?? [];
  const path = (rest ?? target).split('?', 1)[0] ?? '';
  return { path: path === '' ? '/' : path, host: authority ?? request.headers.host ?? '' };
}

/** Whether a subscriber to `/events` asks for more than agentapi tells (AA-173). */
function wantsQuestions({ url = '' }: IncomingMessage): boolean {
  return new URLSearchParams(url.split('?', 2)[1]).get('waiting_for') === 'true';
}

// Documents and pages are loaded by the first request for them: most servers are never asked.

async function sendOpenApi(
  exchange: Exchange,
  version: '3.0' | '3.1',
  format: 'json' | 'yaml',
): Promise<void> {
  const { openApiDocument } = await import('./openapi.ts');
  // JSON is valid YAML.
  sendText(
    exchange,
    200,
    `application/vnd.oai.openapi+${format}`,
    `${JSON.stringify(openApiDocument(version))}\n`,
  );
}

async function sendSchema(exchange: Exchange): Promise<void> {
  const { schemaDocument } = await import('./openapi.ts');
  const name = /^\/schemas\/(.+)\.json$/u.exec(exchange.path)?.[1] ?? '';
  sendText(exchange, 200, 'application/json', `${JSON.stringify(schemaDocument(name))}\n`);
}

async function sendDocs(exchange: Exchange): Promise<void> {
  const [{ docsPage }, { openApiDocument }] = await Promise.all([
    import('./docs-page.ts'),
    import('./openapi.ts'),
  ]);
  sendPage(exchange, docsPage(openApiDocument('3.1')), "default-src 'none'; style-src 'unsafe-inline'");
}

async function sendChat(exchange: Exchange): Promise<void> {
  const { chatFile } = await import('./chat-page.ts');
  const file = chatFile(exchange.path);
  if (file.kind === 'redirect') sendRedirect(exchange, 301, file.location);
  else sendPage(exchange, file.html, file.policy);
}

function sendPage(exchange: Exchange, html: string, policy: string): void {
  exchange.response.setHeader('Content-Security-Policy', policy);
  exchange.response.setHeader('X-Content-Type-Options', 'nosniff');
  sendText(exchange, 200, 'text/html; charset=utf-8', html);
}
