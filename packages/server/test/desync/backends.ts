import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPart } from '../../../../tools/src/outside-parts.ts';
import { startBackend } from '../proxy-harness.ts';

/** Whether tests `[needs nginx]` can run. */
export const HAS_NGINX = findPart('nginx') !== null;

/** A server that answers every request with its path, and knows what it has been asked. */
export interface RecordingBackend extends AsyncDisposable {
  readonly port: number;
  /** `METHOD path` of everything it took for a request. */
  requests(): Promise<readonly string[]>;
  /** What it found wrong with what reached it. */
  readonly complaints: readonly string[];
}

/** Node's own server. */
export async function startNodeRecorder(): Promise<RecordingBackend> {
  const requests: string[] = [];
  const complaints: string[] = [];
  const backend = await startBackend((req, res) => {
    requests.push(`${req.method} ${req.url}`);
    req.on('error', () => {});
    req.on('end', () => res.end(`path ${req.url}`)).resume();
  });
  backend.server.on('clientError', (error: Error & { code?: string }, socket) => {
    // A client that leaves in the middle of its body ends the connection there.
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE') complaints.push(error.message);
    socket.destroy();
  });
  return {
    port: backend.port,
    requests: () => Promise.resolve(requests),
    complaints,
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

const FIRST_LINE = /^([A-Z]+(?:-[A-Z]+)?) (\/[!-~]*) HTTP\/1\.1$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\t\u0020-\u007e\u0080-\u00ff]*)$/;

/** Reads byte by byte, and complains of everything that is not written in the one plainest way. */
export async function startStrictRecorder(): Promise<RecordingBackend> {
  const requests: string[] = [];
  const complaints: string[] = [];
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('latin1').on('error', () => {});
    socket.on('data', (piece: string) => {
      text += piece;
      try {
        for (let request = readRequest(text); request !== null; request = readRequest(text)) {
          text = text.slice(request.size);
          requests.push(`${request.method} ${request.path}`);
          const body = request.method === 'HEAD' ? '' : `path ${request.path}`;
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
        }
      } catch (error) {
        complaints.push(`${String(error)}: ${JSON.stringify(text.slice(0, 300))}`);
        socket.destroy();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  return {
    port,
    requests: () => Promise.resolve(requests),
    complaints,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** The request at the beginning of `text`; `null` while it is not complete. */
function readRequest(text: string): { method: string; path: string; size: number } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const [, method = '', path = ''] = FIRST_LINE.exec(first) ?? [];
  if (method === '') throw new Error('first line');
  const values = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = HEADER_LINE.exec(line) ?? [];
    const lower = name.toLowerCase();
    if (name === '') throw new Error('header line');
    const single = ['host', 'content-length', 'transfer-encoding', 'connection'].includes(lower);
    if (single && values.has(lower)) throw new Error(`repeated ${lower}`);
    values.set(lower, value);
  }
  if (!values.has('host')) throw new Error('no Host');
  const length = values.get('content-length');
  const coding = values.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) throw new Error('two framings');
  if (length !== undefined && !/^(?:0|[1-9]\d*)$/.test(length)) throw new Error('length');
  if (coding !== undefined && coding !== 'chunked') throw new Error('coding');
  let at = end + 4;
  if (coding === undefined) {
    at += Number(length ?? 0);
    return at > text.length ? null : { method, path, size: at };
  }
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const digits = text.slice(at, lineEnd);
    if (!/^(?:0|[1-9a-f][0-9a-f]*)$/.test(digits)) throw new Error('chunk size');
    const size = Number.parseInt(digits, 16);
    at = lineEnd + 2 + size + 2;
    if (at > text.length) return null;
    if (text.slice(at - 2, at) !== '\r\n') throw new Error('chunk end');
    if (size === 0) return { method, path, size: at };
  }
}

const OUT_OF_ROOT = /^400 [A-Z]+ \/(?:\.\.|%2e%2e)\/[!-~]* HTTP\/1\.1$/;

/** nginx, whose log says what it took for requests. */
export async function startNginxRecorder(): Promise<RecordingBackend> {
  const program = findPart('nginx');
  if (program === null) throw new Error('nginx is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'nginx-test-'));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const port = portOf(probe);
  probe.close();
  await once(probe, 'close');
  const log = join(folder, 'requests.log');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  log_format plain escape=json '$status $request';
  access_log ${log} plain;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  keepalive_requests 1000000;
  server { listen 127.0.0.1:${port}; location / { return 200 "path $request_uri"; } }
}
`,
  );
  const child = spawn(program, ['-c', join(folder, 'nginx.conf'), '-p', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const complaints: string[] = [];
  await untilListening(port);
  return {
    port,
    complaints,
    requests: async () => {
      const lines = (await readFile(log, 'latin1')).split('\n').filter((line) => line !== '');
      complaints.length = 0;
      // 400 is a request that nginx could not read, or whose path leads out of the root: that is passed on as it came.
      for (const line of lines) if (line.startsWith('400 ') && !OUT_OF_ROOT.test(line)) complaints.push(line);
      return lines.map((line) => line.slice(4));
    },
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilListening(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    if (Date.now() > deadline) throw new Error('nginx does not listen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
