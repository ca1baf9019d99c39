import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { authorize } from '../src/auth/authorize.ts';
import type { Principal } from '../src/auth/principal.ts';
import { SessionAccess } from '../src/auth/session-access.ts';
import { TrustedProxies } from '../src/client-address.ts';
import { Cors } from '../src/cors.ts';
import type { CorsOptions } from '../src/cors.ts';
import { AppError } from '../src/errors.ts';
import { createListener } from '../src/http/listener.ts';
import type { ListenerLimits } from '../src/http/listener.ts';
import { OriginGuard } from '../src/http/origin-guard.ts';
import type { AdmissionOptions } from '../src/proxy/admit.ts';
import type { RequestObserver } from '../src/request-observer.ts';
import { createProxyHandler } from '../src/proxy/proxy-handler.ts';
import type { Endpoint, SessionRoute, SessionState } from '../src/sessions/session.ts';

/** A session without processes: the test sets its state and its endpoint. */
export class TestSession implements SessionRoute {
  readonly id: string;
  ownerId = 'alice';
  state: SessionState = 'running';
  reason: string | null = null;
  endpoint: Endpoint | null;
  touched = 0;
  readonly #ended = new AbortController();
  readonly #started = new AbortController();

  constructor(id: string, endpoint: Endpoint | null) {
    this.id = id;
    this.endpoint = endpoint;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  untilStarted(signal: AbortSignal): Promise<void> {
    if (this.state !== 'creating' && this.state !== 'starting') return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#started.signal.addEventListener('abort', () => resolve(), { once: true });
      signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
  }

  become(state: SessionState, endpoint: Endpoint | null = this.endpoint): void {
    this.state = state;
    this.endpoint = endpoint;
    if (state !== 'creating' && state !== 'starting') this.#started.abort();
    if (state === 'stopping' || state === 'stopped' || state === 'failed') this.#ended.abort();
  }

  touch(): void {
    this.touched += 1;
  }
}

export interface TestBackend extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
  /** Open connections. */
  readonly sockets: Set<Socket>;
  /** Connections ever accepted. */
  accepted: number;
}

/** A real HTTP server on loopback that stands for an agent server. */
export async function startBackend(handler: RequestListener): Promise<TestBackend> {
  const server = createServer(handler);
  const sockets = new Set<Socket>();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const backend: TestBackend = {
    port: address.port,
    server,
    sockets,
    accepted: 0,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
  server.on('connection', (socket) => {
    backend.accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return backend;
}

export const ID = '0f8fad5b-d9cb-469f-a165-70867728950e';

export interface TestProxyOptions {
  readonly sessions: readonly SessionRoute[];
  readonly cors?: CorsOptions;
  readonly startTimeoutMs?: number;
  readonly maxBodyBytes?: number;
  readonly heartbeatMs?: number;
  readonly answerTimeoutMs?: number;
  readonly trustedProxies?: readonly string[];
  /** Authentication is on exactly when there are keys. */
  readonly keys?: Readonly<Record<string, Principal>>;
  readonly allowedHosts?: readonly string[];
  readonly host?: string;
  readonly guarded?: boolean;
  readonly maxHeaders?: number;
  readonly control?: RequestListener;
  readonly limits?: ListenerLimits;
  readonly maxPerSession?: number;
  readonly observer?: RequestObserver;
}

export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly logged: () => string;
  close(graceMs: number): Promise<void>;
}

/** The listener and the data plane with a control plane that answers 404. */
export async function startProxy(options: TestProxyOptions): Promise<TestProxy> {
  const cors = new Cors(options.cors ?? { origins: [], credentials: false });
  const byId = new Map(options.sessions.map((session) => [session.id, session]));
  const logStream = new PassThrough();
  const logged: string[] = [];
  logStream.on('data', (chunk) => logged.push(String(chunk)));
  const log = pino({ level: 'debug' }, logStream);
  const access = new SessionAccess(() => null);
  const proxy = createProxyHandler({
    find: (id) => byId.get(id),
    authenticator: authenticatorOf(options.keys),
    authorize,
    checkUse: (principal, session, use) => access.check(principal, session, use),
    cors,
    startTimeoutMs: options.startTimeoutMs ?? 5_000,
    maxBodyBytes: options.maxBodyBytes ?? 0,
    trustedProxies: new TrustedProxies(options.trustedProxies ?? []),
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
    ...(options.answerTimeoutMs === undefined ? {} : { answerTimeoutMs: options.answerTimeoutMs }),
    ...(options.maxPerSession === undefined ? {} : { maxPerSession: options.maxPerSession }),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
    log,
  });
  const host = options.host ?? '127.0.0.1';
  const guarded = options.guarded ?? options.keys === undefined;
  const listener = createListener({
    host,
    port: 0,
    maxHeaderBytes: 16_384,
    maxHeaders: options.maxHeaders ?? 200,
    guard: guarded ? new OriginGuard({ host, allowedHosts: options.allowedHosts ?? [], cors }) : null,
    cors,
    proxy,
    control: options.control ?? notFound,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    reservedSegments: new Set(['start', 'search', 'sessions', 'profiles', 'health', 'livez']),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
    log,
  });
  const { port } = await listener.listen();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    logged: () => logged.join(''),
    close: (graceMs) => listener.close(graceMs),
    [Symbol.asyncDispose]: () => listener.close(0),
  };
}

function notFound(_req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(404, { 'content-type': 'application/json' });
  res.end('{"message":"Not Found"}\n');
}

function authenticatorOf(keys: TestProxyOptions['keys']): AdmissionOptions['authenticator'] {
  const anonymous: Principal = { userId: 'anonymous', role: 'admin', permissions: new Set(['*']) };
  return {
    enabled: keys !== undefined,
    credentialHeaders: ['x-api-key', 'authorization', 'proxy-authorization', 'cookie'],
    authenticate: (headers) => {
      if (keys === undefined) return anonymous;
      const bearer = headers.authorization?.replace(/^Bearer /, '');
      const key = headers['x-api-key'] ?? bearer;
      if (key === undefined) throw new AppError('api_key_required');
      const principal = typeof key === 'string' ? keys[key] : undefined;
      if (principal === undefined) throw new AppError('invalid_api_key');
      return principal;
    },
  };
}

export function principal(userId: string, permissions: readonly string[] = ['*'], role = 'user'): Principal {
  return { userId, role, permissions: new Set(permissions) };
}

/** Sends bytes over a new connection and answers everything that comes until the other side closes. */
export async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(bytes);
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => {});
  });
  return Buffer.concat(chunks).toString('latin1');
}

/** Polls until `condition` holds. */
export async function until(
  condition: () => boolean,
  what = 'condition',
  deadlineMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
