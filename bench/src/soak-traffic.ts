import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { ProxyProcess } from './proxy-process.ts';

/** A client that waits longer than this for something has found a fault. */
const LIMIT_MS = 60_000;
const UPLOAD = new Blob([Buffer.alloc(16 * 1024, 0x78)]);
const WEB_SOCKET_MESSAGES = 10;

export interface TrafficTotals {
  requests: number;
  /** Connections of clients that were opened and went. */
  connections: number;
  sessions: number;
  uploads: number;
  /** Answers with other statuses than those expected, and what did not come. */
  faults: string[];
}

export interface TrafficOptions {
  readonly proxy: ProxyProcess;
  readonly key: string;
  /** Sessions that stay. */
  readonly sessionIds: readonly string[];
  /** Whether the agent servers speak WebSocket, and leave `/silent` without an answer. */
  readonly streaming: boolean;
  readonly signal: AbortSignal;
}

/** Everything that clients do, at once and at a steady pace, until the signal aborts. Settles when all have gone. */
export async function runTraffic(options: TrafficOptions): Promise<TrafficTotals> {
  const traffic = new Traffic(options);
  await traffic.run();
  return traffic.totals;
}

class Traffic {
  readonly totals: TrafficTotals = { requests: 0, connections: 0, sessions: 0, uploads: 0, faults: [] };
  readonly #options: TrafficOptions;
  readonly #headers: Readonly<Record<string, string>>;
  #turn = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#headers = { 'X-API-Key': options.key };
  }

  async run(): Promise<void> {
    const { streaming } = this.#options;
    await Promise.all([
      this.#again(50, () => this.#get()),
      this.#again(1_000, () => this.#upload()),
      this.#again(5_000, () => this.#liveAndEnd()),
      this.#again(200, () => this.#follow('/events', 100)),
      this.#again(200, () => this.#leaveEarly()),
      ...[1, 2, 3, 4].map((viewer) => this.#again(100, () => this.#view(viewer * 1_000))),
      ...(streaming ? [this.#again(500, () => this.#webSocket())] : []),
    ]);
  }

  /** One thing after another, so many milliseconds apart. */
  async #again(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        this.totals.faults.push(error instanceof Error ? error.message : String(error));
      }
      await sleep(everyMs, null, { signal }).catch(() => {});
    }
  }

  async #get(): Promise<void> {
    for (const path of [
      `/${this.#sessionId()}/status`,
      `/${this.#sessionId()}/messages`,
      '/search',
      '/livez',
    ]) {
      await this.#expect(path);
    }
  }

  async #upload(): Promise<void> {
    const form = new FormData();
    form.append('file', UPLOAD, 'file.txt');
    await this.#expect(`/${this.#sessionId()}/upload`, { method: 'POST', body: form });
    this.totals.uploads += 1;
  }

  /** A session from its start to its end. */
  async #liveAndEnd(): Promise<void> {
    const { proxy } = this.#options;
    const id = await proxy.start();
    await this.#expect(`/${id}/status`);
    await this.#expect(`/sessions/${id}/messages`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ content: 'hello' }),
    });
    await this.#expect(`/sessions/${id}/wait?for=stable&timeout=2`);
    await this.#expect(`/sessions/${id}`, { method: 'DELETE' });
    this.totals.sessions += 1;
  }

  /** Reads a stream of a session for a moment, and goes without a word. */
  async #follow(path: string, ms: number): Promise<void> {
    const socket = await this.#open(this.#requestLine('GET', `/${this.#sessionId()}${path}`));
    await this.#answered(socket);
    await sleep(ms);
    await this.#leave(socket);
  }

  async #view(ms: number): Promise<void> {
    const socket = await this.#open(this.#requestLine('GET', `/sessions/${this.#sessionId()}/events`));
    await this.#answered(socket);
    await sleep(ms, null, { signal: this.#options.signal }).catch(() => {});
    await this.#leave(socket);
  }

  /** A client that goes in the middle of something. */
  async #leaveEarly(): Promise<void> {
    const path = `/${this.#sessionId()}`;
    const beginnings = [
      '',
      'GET / HT',
      `${this.#requestLine('POST', `${path}/upload`, 'Content-Length: 1000\r\n')}half`,
      `${this.#requestLine('POST', `${path}/upload`, 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n`,
      this.#requestLine('GET', `${path}/messages`).repeat(3),
      this.#requestLine('GET', `${path}/${this.#options.streaming ? 'silent' : 'status'}`),
    ];
    const socket = await this.#open(beginnings[this.#next() % beginnings.length] ?? '');
    await sleep(20);
    await this.#leave(socket);
  }

  async #webSocket(): Promise<void> {
    const { proxy } = this.#options;
    const url = `ws://127.0.0.1:${proxy.port}/${this.#sessionId()}/socket`;
    const socket = new WebSocket(url, { headers: this.#headers, handshakeTimeout: LIMIT_MS });
    this.totals.connections += 1;
    socket.on('error', () => {});
    await once(socket, 'open', { signal: AbortSignal.timeout(LIMIT_MS) });
    for (let i = 0; i < WEB_SOCKET_MESSAGES; i += 1) {
      socket.send('x'.repeat(1_000));
      await once(socket, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
    }
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(LIMIT_MS) });
    if (this.#next() % 2 === 0) socket.close();
    else socket.terminate();
    await closed;
  }

  async #expect(path: string, init: RequestInit = {}): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.#options.proxy.port}${path}`, {
      ...init,
      headers: { ...this.#headers, ...Object.fromEntries(new Headers(init.headers)) },
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    await response.arrayBuffer();
    this.totals.requests += 1;
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}`);
  }

  #requestLine(method: string, path: string, lines = ''): string {
    return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${this.#options.key}\r\n${lines}\r\n`;
  }

  async #open(text: string): Promise<Socket> {
    const socket = connect(this.#options.proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect', { signal: AbortSignal.timeout(LIMIT_MS) });
    this.totals.connections += 1;
    if (text !== '') socket.write(text);
    return socket;
  }

  async #answered(socket: Socket): Promise<void> {
    const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(LIMIT_MS) });
    socket.resume();
    this.totals.requests += 1;
    const line = String(bytes).split('\r\n', 1)[0] ?? '';
    if (!line.startsWith('HTTP/1.1 200')) throw new Error(`an event stream was answered with ${line}`);
  }

  /** In turns: an orderly end, the end of one direction, a reset. */
  async #leave(socket: Socket): Promise<void> {
    if (socket.destroyed) return;
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(LIMIT_MS) });
    socket.resume();
    switch (this.#next() % 3) {
      case 0:
        socket.destroy();
        break;
      case 1:
        socket.end();
        break;
      default:
        socket.resetAndDestroy();
    }
    await closed;
  }

  #sessionId(): string {
    const { sessionIds } = this.#options;
    return sessionIds[this.#next() % sessionIds.length] ?? '';
  }

  #next(): number {
    this.#turn += 1;
    return this.#turn;
  }
}
