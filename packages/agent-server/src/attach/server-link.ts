import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';

/** Why an attachment could not be made or has ended. */
export class AttachError extends Error {
  override readonly name = 'AttachError';
  /** What the server answered, when it was that. */
  readonly status: number | undefined;

  constructor(message: string, options: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status;
  }
}

/** A server that takes longer to answer is not there. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Longest event of the screen stream (agentapi appendix A). */
const MAX_EVENT_CHARS = 256 * 1024;
/** Answers to requests are small; more is not read. */
const MAX_ANSWER_BYTES = 64 * 1024;

const statusSchema = z.object({ transport: z.string().optional() });
const screenSchema = z.object({ screen: z.string() });

/** The requests of an attached terminal, over connections of its own. */
export class ServerLink implements Disposable {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: HttpAgent;

  /** `base`: see {@link attachUrl}. `token`: presented as a bearer token. */
  constructor(base: string, token: string | undefined) {
    this.#base = base;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { keepAlive: true };
    this.#agent = base.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** How the server talks to its agent; `undefined` when it does not say. */
  async transport(signal: AbortSignal): Promise<string | undefined> {
    const { status, text } = await this.#exchange('GET', '/status', undefined, signal);
    if (status !== 200) throw new AttachError(`GET /status was answered with ${status}`);
    const parsed: unknown = JSON.parse(text);
    return statusSchema.parse(parsed).transport;
  }

  /** Sends keys; resolves once the agent's terminal has them. */
  async sendKeys(keys: string, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ type: 'raw', content: keys });
    const { status, text } = await this.#exchange('POST', '/message', body, signal);
    if (status !== 200) {
      throw new AttachError(`keys were refused with ${status}: ${detailOf(text)}`, { status });
    }
  }

  /** The screens as they change, until the server ends the stream. */
  async *screens(signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.#open('GET', '/internal/screen', undefined, signal);
    if (response.statusCode !== 200) {
      response.destroy();
      const { statusCode: status = 0 } = response;
      throw new AttachError(`GET /internal/screen was answered with ${status}`, { status });
    }
    const decoder = new StringDecoder('utf8');
    let text = '';
    const chunks: AsyncIterable<Buffer> = response;
    for await (const chunk of chunks) {
      text += decoder.write(chunk);
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      if ([...frames, text].some((frame) => frame.length > MAX_EVENT_CHARS)) {
        throw new AttachError(`the server sent an event over ${MAX_EVENT_CHARS / 1024} KiB`);
      }
      for (const frame of frames) {
        const screen = screenOf(frame);
        if (screen !== null) yield screen;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #exchange(
    method: string,
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const response = await this.#open(method, path, body, AbortSignal.any([signal, limit]));
    const parts: Buffer[] = [];
    let size = 0;
    const chunks: AsyncIterable<Buffer> = response;
    for await (const chunk of chunks) {
      parts.push(chunk);
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) break;
    }
    return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') };
  }

  #open(
    method: string,
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const request = this.#base.startsWith('https:') ? httpsRequest : httpRequest;
    const headers = {
      ...this.#headers,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      request(`${this.#base}${path}`, { method, headers, signal, agent: this.#agent })
        .once('response', resolve)
        .once('error', reject)
        .end(body);
    });
  }
}

/**
 * The URL that `--url` means: `http://` in front when there is no scheme, no slash at the end (AA-022).
 * @throws {AttachError} when it is empty or no URL.
 */
export function attachUrl(text: string): string {
  if (text === '') throw new AttachError('URL is required');
  const withScheme = text.startsWith('http') ? text : `http://${text}`;
  const url = withScheme.replace(/\/+$/u, '');
  if (!URL.canParse(url) || !/^https?:\/\//iu.test(url)) throw new AttachError(`${text} is not a URL`);
  return url;
}

/** The screen of a `screen` event; `null` for comments and other events. */
function screenOf(frame: string): string | null {
  const lines = frame.split('\n');
  if (!lines.includes('event: screen')) return null;
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
  const parsed: unknown = JSON.parse(data.join('\n'));
  return screenSchema.parse(parsed).screen;
}

const problemSchema = z.object({
  detail: z.string().optional(),
  errors: z.array(z.object({ message: z.string().optional() })).optional(),
});

function detailOf(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    const problem = problemSchema.parse(parsed);
    return problem.errors?.[0]?.message ?? problem.detail ?? '';
  } catch {
    return '';
  }
}
