import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs git in a folder, away from whatever is configured on this machine. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const identity = { GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@example.com' };
  const { stdout } = await execute('git', [...args], {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...identity,
      GIT_COMMITTER_NAME: 'T',
      GIT_COMMITTER_EMAIL: 't@example.com',
    },
    maxBuffer: 64 * 1024 ** 2,
  });
  return stdout.trim();
}

/** Answers a request below `/api/v3`; `null` = not this one. */
export type ApiHandler = (request: {
  readonly method: string;
  readonly url: URL;
  readonly token: string;
  readonly body: string;
}) => { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> } | null;

/** A git server that speaks the smart HTTP protocol, and an API beside it, as GitHub Enterprise has them. */
export interface GitServer extends AsyncDisposable {
  /** Base of clone addresses, with a slash at the end. */
  readonly url: string;
  /** Base of the API. */
  readonly apiUrl: string;
  /** Holds the bare repositories. */
  readonly folder: string;
  /** What was asked for, such as `GET /o/r.git/info/refs`, with the token that came along. */
  readonly requests: readonly { readonly what: string; readonly token: string }[];
  /** Bytes of repositories sent so far. */
  sentBytes(): number;
  /** Tokens that are accepted, and the repositories that they open; `*` = all. */
  allow(token: string, ...repositories: readonly string[]): void;
  /** Nobody may read it without a token any more. */
  makePrivate(repository: string): void;
  /** The next answers of repositories wait until what this returns is called. */
  hold(): () => void;
  /** Makes a repository with one commit that holds these files. */
  create(
    repository: string,
    files: Readonly<Record<string, string | Buffer>>,
    branch?: string,
  ): Promise<string>;
  onApi(handler: ApiHandler): void;
}

/** Starts a git server on a free port of this machine. */
export async function startGitServer(): Promise<GitServer> {
  const folder = await mkdtemp(join(tmpdir(), 'git-server-'));
  const open = new Map<string, Set<string>>();
  const hidden = new Set<string>();
  const requests: { what: string; token: string }[] = [];
  const handlers: ApiHandler[] = [];
  let sent = 0;
  let gate: Promise<void> = Promise.resolve();

  const mayRead = (token: string, repository: string): boolean => {
    const allowed = open.get(token);
    return !hidden.has(repository) || allowed?.has(repository) === true || allowed?.has('*') === true;
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const token = tokenOf(request);
    requests.push({ what: `${request.method} ${url.pathname}${url.search}`, token });
    if (url.pathname.startsWith('/api/v3/')) {
      const body = (await request.setEncoding('utf8').toArray()).join('');
      url.pathname = url.pathname.slice('/api/v3'.length);
      const found = handlers.map((handle) => handle({ method: request.method ?? '', url, token, body }));
      const reply = found.find((each) => each !== null) ?? { status: 404, body: { message: 'Not Found' } };
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(JSON.stringify(reply.body));
      return;
    }
    const repository = /^\/([^/]+\/[^/]+)\.git\//.exec(url.pathname)?.[1] ?? '';
    const isWrite = url.pathname.endsWith('/git-receive-pack') || url.search.includes('git-receive-pack');
    const needsToken = isWrite || !mayRead('', repository);
    if (token === '' ? needsToken : !open.has(token)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('Invalid username or token.');
      return;
    }
    if (!mayRead(token, repository)) {
      response.writeHead(404).end('Repository not found.');
      return;
    }
    await gate;
    await backend(request, response, url);
  };

  const backend = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        REMOTE_USER: 'somebody',
        REMOTE_ADDR: '127.0.0.1',
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    response.on('close', () => child.kill());
    child.stdin.on('error', () => undefined);
    request.pipe(child.stdin);
    const { head, rest } = await readHead(child.stdout);
    sent += rest.length;
    child.stdout.on('data', (chunk: Buffer) => {
      sent += chunk.length;
    });
    for (const line of head.split('\r\n')) {
      const at = line.indexOf(':');
      const value = line.slice(at + 1).trim();
      if (/^status:/i.test(line)) response.statusCode = Number(value.slice(0, 3));
      else response.setHeader(line.slice(0, at), value);
    }
    response.write(rest);
    child.stdout.pipe(response);
    await once(response, 'close');
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- what a TCP server has
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    apiUrl: `${url}api/v3`,
    folder,
    requests,
    sentBytes: () => sent,
    allow: (token, ...repositories) => void open.set(token, new Set(repositories)),
    makePrivate: (repository) => void hidden.add(repository),
    hold: () => {
      let release: () => void = () => undefined;
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    create: async (repository, files, branch = 'trunk') =>
      createRepository(folder, repository, files, branch),
    onApi: (handler) => void handlers.push(handler),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Reads the header lines of a CGI program, and what has come with them. */
async function readHead(stream: Readable): Promise<{ readonly head: string; readonly rest: Buffer }> {
  let read = Buffer.alloc(0);
  for (;;) {
    const end = read.indexOf('\r\n\r\n');
    if (end >= 0) return { head: read.subarray(0, end).toString('latin1'), rest: read.subarray(end + 4) };
    const chunk: unknown = stream.read();
    if (Buffer.isBuffer(chunk)) read = Buffer.concat([read, chunk]);
    else if (stream.readableEnded) return { head: 'Status: 500', rest: read };
    else await Promise.race([once(stream, 'readable'), once(stream, 'end')]);
  }
}

/** The password of Basic authentication, or what comes after `Bearer` or `token`. */
function tokenOf({ headers }: IncomingMessage): string {
  const [scheme = '', value = ''] = (headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') return value;
  return Buffer.from(value, 'base64')
    .toString('utf8')
    .replace(/^[^:]*:/, '');
}

async function createRepository(
  folder: string,
  repository: string,
  files: Readonly<Record<string, string | Buffer>>,
  branch: string,
): Promise<string> {
  const bare = join(folder, `${repository}.git`);
  const work = await mkdtemp(join(tmpdir(), 'git-work-'));
  try {
    await git(work, 'init', '--quiet', '--initial-branch', branch);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(work, name)), { recursive: true });
      await writeFile(join(work, name), content);
    }
    // Random bytes become no smaller; looking for likeness among them takes minutes.
    await git(work, 'config', 'core.compression', '0');
    await git(work, 'config', 'core.bigFileThreshold', '1m');
    await git(work, 'add', '--all');
    await git(work, 'commit', '--quiet', '--allow-empty', '-m', 'First');
    await mkdir(dirname(bare), { recursive: true });
    await git(work, 'clone', '--quiet', '--bare', '--no-hardlinks', work, bare);
    await git(bare, 'config', 'http.receivepack', 'true');
    await git(bare, 'config', 'core.bigFileThreshold', '1m');
    await git(bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    return await git(bare, 'rev-parse', 'HEAD');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
