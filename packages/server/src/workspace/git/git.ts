import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { SESSION_MARKER } from '@agentapi-proxy/agent-server/process-tree';
import { RepositoryError } from '../repository-error.ts';
import { LineCutter, parseProgress } from './progress.ts';
import type { GitProgress } from './progress.ts';

/** A token and the one address it may be sent to. */
export interface GitCredential {
  /** Beginning of the addresses that get it, such as `https://github.com/`. */
  readonly base: string;
  readonly token: string;
}

/** One run of git. */
export interface GitRun {
  /** After the options that every run gets. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Further variables, such as `GIT_DIR`; never secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kinds of addresses that may be used, with `:` between them; none by default. */
  readonly protocols?: string;
  readonly credential?: GitCredential | null;
  /** Standard input; none by default. */
  readonly input?: string;
  /** More output than this ends the run; the result says so. */
  readonly maxOutputBytes?: number;
  readonly onProgress?: (progress: GitProgress) => void;
  /** Marks the processes as those of a session, so that they are found after a crash of this server. */
  readonly marker?: string | null;
}

/** How a run of git ended. */
export interface GitResult {
  /** Exit code; `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  /** Lines of standard error that are no progress, oldest first; the token is masked. */
  readonly messages: readonly string[];
  /** Whether there was more output than allowed. */
  readonly truncated: boolean;
}

/** Time between SIGTERM and SIGKILL; git removes its lock files on the first. */
const KILL_GRACE_MS = 2_000;
const MAX_MESSAGES = 40;
const MAX_OUTPUT_BYTES = 64 * 1024 ** 2;

/** Descriptor of git on which its credential helper finds the token. */
const CREDENTIAL_FD = 3;

/**
 * Prints what stands on the descriptor when git asks, and nothing when it wants to store something. The token is on
 * a socket, which unlike an environment or a pipe no other process of the same user can read (DF-15).
 */
const CREDENTIAL_HELPER = `!f() { test "$1" = get && cat <&${CREDENTIAL_FD}; }; f`;

/** What no configuration may switch on: programs of a repository, other credentials, clearing up in the background. */
const HARDENING = [
  ...['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.pager=cat', 'core.attributesFile=/dev/null'],
  ...['credential.helper=', 'submodule.recurse=false', 'gc.auto=0', 'maintenance.auto=false'],
  ...['advice.detachedHead=false', 'advice.addEmbeddedRepo=false', 'core.quotePath=false'],
  // A forge that stalls must not hold a session for ever.
  ...['http.lowSpeedLimit=1000', 'http.lowSpeedTime=60'],
].flatMap((setting) => ['-c', setting]);

/** Variables of the server that git needs to reach the forge; everything else stays away from it. */
const PASSED = [
  ...['PATH', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY', 'all_proxy', 'ALL_PROXY'],
];

/** Runs git, always by itself: no configuration of the machine or the server's user, no terminal, no hooks. */
export class Git {
  readonly #environment: Readonly<Record<string, string>>;

  /** @param environment - variables of sessions or the server; what git needs is taken from it. */
  constructor(environment: Readonly<Record<string, string | undefined>>) {
    const passed = PASSED.flatMap((name): readonly (readonly [string, string])[] => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    });
    const certificates = environment['SSL_CERT_FILE'];
    this.#environment = {
      ...Object.fromEntries(passed),
      ...(certificates === undefined ? {} : { GIT_SSL_CAINFO: certificates }),
      // Messages are read below; other languages would hide what they say.
      LC_ALL: 'C.UTF-8',
      LANGUAGE: 'C',
      HOME: '/nonexistent',
      XDG_CONFIG_HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_NO_LAZY_FETCH: '1',
      GIT_LITERAL_PATHSPECS: '1',
    };
  }

  /**
   * Runs git to its end; all of its processes have ended then.
   * @throws RepositoryError `timeout`, or `failed` when git cannot be run; the abort reason of `signal`.
   */
  async run(run: GitRun): Promise<GitResult> {
    run.signal.throwIfAborted();
    const { credential = null } = run;
    if (credential !== null && !/^[\x21-\x7e]+$/.test(credential.token)) {
      // A line break would add lines of its own to what git is told.
      throw new RepositoryError('authentication_failed', 'The token holds characters that no token has');
    }
    const helper =
      credential === null ? [] : ['-c', `credential.${credential.base}.helper=${CREDENTIAL_HELPER}`];
    const child = spawn('git', [...HARDENING, ...helper, ...run.args], {
      cwd: run.cwd,
      env: {
        ...this.#environment,
        ...run.env,
        GIT_ALLOW_PROTOCOL: run.protocols ?? 'none',
        ...(run.marker === undefined || run.marker === null ? {} : { [SESSION_MARKER]: run.marker }),
      },
      // A group of its own, so that its helpers end with it.
      detached: true,
      stdio: [run.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    return collect(child, run);
  }
}

async function collect(child: ChildProcess, run: GitRun): Promise<GitResult> {
  const { signal, credential = null, maxOutputBytes = MAX_OUTPUT_BYTES } = run;
  const token = credential?.token ?? '';
  const chunks: Buffer[] = [];
  const messages: string[] = [];
  let size = 0;
  let truncated = false;
  let killer: NodeJS.Timeout | undefined;
  let timedOut = false;

  const end = (): void => {
    if (killer !== undefined) return;
    killGroup(child, 'SIGTERM');
    killer = setTimeout(() => killGroup(child, 'SIGKILL'), KILL_GRACE_MS);
  };
  const deadline = setTimeout(() => {
    timedOut = true;
    end();
  }, run.timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  const cutter = new LineCutter((line) => {
    const progress = parseProgress(line);
    if (progress !== null) run.onProgress?.(progress);
    else messages.push(token === '' ? line : line.replaceAll(token, '[secret]'));
    if (messages.length > MAX_MESSAGES) messages.shift();
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    const room = maxOutputBytes - size;
    if (chunk.length > room) {
      truncated = true;
      end();
    }
    if (room <= 0) return;
    chunks.push(chunk.subarray(0, room));
    size += Math.min(chunk.length, room);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => cutter.push(text));
  give(child.stdio[CREDENTIAL_FD], credential === null ? '' : `username=x-access-token\npassword=${token}\n`);
  if (run.input !== undefined) give(child.stdin, run.input);
  try {
    const closed = once(child, 'close');
    const [code]: unknown[] = await closed;
    cutter.end();
    signal.throwIfAborted();
    if (timedOut) {
      throw new RepositoryError('timeout', `git did not finish within ${Math.ceil(run.timeoutMs / 1000)} s`);
    }
    return {
      code: typeof code === 'number' ? code : null,
      stdout: Buffer.concat(chunks),
      messages,
      truncated,
    };
  } catch (error) {
    if (child.pid !== undefined) throw error;
    throw new RepositoryError('failed', 'The program git cannot be run on the server', { cause: error });
  } finally {
    clearTimeout(deadline);
    clearTimeout(killer);
    signal.removeEventListener('abort', end);
    // Whatever git has left behind, such as a helper that hangs.
    killGroup(child, 'SIGKILL');
  }
}

/** Writes a text; git may end without having read it. */
function give(stream: unknown, text: string): void {
  if (!(stream instanceof Duplex) && !isWritable(stream)) return;
  stream.on('error', () => undefined);
  stream.end(text);
}

function isWritable(stream: unknown): stream is NodeJS.WritableStream {
  return typeof stream === 'object' && stream !== null && 'end' in stream && 'on' in stream;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}
