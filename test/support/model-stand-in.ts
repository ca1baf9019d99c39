import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/**
 * A stand-in for the APIs of language models, on loopback: Gemini's `generateContent` family and
 * OpenAI's chat completions. Coding agents are pointed at it by their own settings
 * (`GOOGLE_GEMINI_BASE_URL`, `OPENAI_BASE_URL`); a test decides what the model says.
 */

/** What an agent asked the model. */
export interface ModelRequest {
  readonly protocol: 'gemini' | 'openai';
  readonly model: string;
  /** The text parts of the last user turn, as the agent sent them. */
  readonly userTexts: readonly string[];
  /** Results of tools that the model is to go on with, oldest first, texts or JSON; none once the user has said more. */
  readonly toolResults: readonly string[];
  /** Names of the tools on offer; empty for the agents' side questions (titles, routing, summaries). */
  readonly toolNames: readonly string[];
  /** The agent asked for an answer as JSON. */
  readonly wantsJson: boolean;
  readonly streaming: boolean;
  readonly body: unknown;
}

/** A piece of the model's answer. */
export type ReplyPart =
  | { readonly text: string }
  | { readonly pauseMs: number }
  /** Holds the answer until the promise settles or the agent goes away. */
  | { readonly until: Promise<unknown> }
  | { readonly toolCall: { readonly name: string; readonly args: Readonly<Record<string, unknown>> } };

export type ModelReply =
  | { readonly parts: readonly ReplyPart[] }
  | { readonly status: number; readonly message: string };

export interface ModelStandInOptions {
  /** Default: `echo: ` and the last user text. Side questions without tools never come here. */
  readonly respond?: (request: ModelRequest) => ModelReply;
}

export interface ModelStandIn extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, no trailing slash. */
  readonly url: string;
  /** Every request so far, side questions included. */
  readonly requests: readonly ModelRequest[];
  /** Requests for paths that the stand-in does not know, as `METHOD path`. */
  readonly unknown: readonly string[];
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MODEL = 'stand-in';

/** Starts the stand-in on a free port. */
export async function startModelStandIn(options: ModelStandInOptions = {}): Promise<ModelStandIn> {
  const requests: ModelRequest[] = [];
  const unknown: string[] = [];
  const respond =
    options.respond ?? ((request) => ({ parts: [{ text: `echo: ${request.userTexts.at(-1)}` }] }));
  const answer = (request: ModelRequest): ModelReply => {
    requests.push(request);
    return request.toolNames.length === 0 ? sideAnswer(request) : respond(request);
  };
  const server = createServer((request, response) => {
    handle(request, response, answer, unknown).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: { code: 500, message: String(error), status: 'INTERNAL' } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => closeServer(server);
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests,
    unknown,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: ModelRequest) => ModelReply,
  unknown: string[],
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://stand-in');
  const gemini = /\/models\/([^/:]+):(streamGenerateContent|generateContent|countTokens|embedContent)$/u.exec(
    pathname,
  );
  if (gemini?.[2] === 'countTokens') return sendJson(response, 200, { totalTokens: 10 });
  if (gemini?.[2] === 'embedContent') return sendJson(response, 200, { embedding: { values: [0] } });
  if (gemini) {
    const asked = readGemini(
      await readBody(request),
      gemini[1] ?? MODEL,
      gemini[2] === 'streamGenerateContent',
    );
    return writeReply(response, asked, answer(asked), GEMINI);
  }
  if (pathname.endsWith('/chat/completions')) {
    const asked = readOpenAi(await readBody(request));
    return writeReply(response, asked, answer(asked), OPENAI);
  }
  if (pathname.endsWith('/models')) {
    return sendJson(response, 200, { object: 'list', data: [{ id: MODEL, object: 'model' }] });
  }
  unknown.push(`${request.method ?? 'GET'} ${pathname}`);
  sendJson(response, 404, { error: { code: 404, message: 'not found', status: 'NOT_FOUND' } });
}

/** Agents ask small questions beside the conversation; they get an answer that changes nothing. */
function sideAnswer(request: ModelRequest): ModelReply {
  const json = {
    reasoning: 'stand-in',
    next_speaker: 'user',
    model_choice: 'flash',
    complexity_reasoning: 'stand-in',
    complexity_score: 1,
  };
  return { parts: [{ text: request.wantsJson ? JSON.stringify(json) : 'stand-in' }] };
}

// --- Gemini ------------------------------------------------------------------------------------

const geminiPart = z.looseObject({
  text: z.string().optional(),
  functionResponse: z.looseObject({ name: z.string().optional(), response: z.unknown() }).optional(),
});
const geminiBody = z.looseObject({
  contents: z.array(z.looseObject({ role: z.string().optional(), parts: z.array(geminiPart).default([]) })),
  tools: z
    .array(z.looseObject({ functionDeclarations: z.array(z.looseObject({ name: z.string() })).default([]) }))
    .default([]),
  generationConfig: z.looseObject({ responseMimeType: z.string().optional() }).optional(),
});

function readGemini(body: unknown, model: string, streaming: boolean): ModelRequest {
  const parsed = geminiBody.parse(body);
  const lastModel = parsed.contents.findLastIndex((content) => content.role === 'model');
  const parts = parsed.contents.slice(lastModel + 1).flatMap((content) => content.parts);
  const lastText = parts.findLastIndex((part) => part.text !== undefined);
  return {
    protocol: 'gemini',
    model,
    userTexts: parts.flatMap((part) => (part.text === undefined ? [] : [part.text])),
    toolResults: parts
      .slice(lastText + 1)
      .flatMap((part) =>
        part.functionResponse === undefined ? [] : [JSON.stringify(part.functionResponse.response)],
      ),
    toolNames: parsed.tools.flatMap((tool) => tool.functionDeclarations.map(({ name }) => name)),
    wantsJson: parsed.generationConfig?.responseMimeType === 'application/json',
    streaming,
    body,
  };
}

// --- OpenAI ------------------------------------------------------------------------------------

const openAiContent = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  z.null(),
]);
const openAiBody = z.looseObject({
  model: z.string().default(MODEL),
  stream: z.boolean().default(false),
  messages: z.array(z.looseObject({ role: z.string(), content: openAiContent.optional() })),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
  response_format: z.looseObject({ type: z.string() }).optional(),
});

function readOpenAi(body: unknown): ModelRequest {
  const parsed = openAiBody.parse(body);
  const lastModel = parsed.messages.findLastIndex((message) => message.role === 'assistant');
  const recent = parsed.messages.slice(lastModel + 1);
  const lastUser = recent.findLastIndex((message) => message.role === 'user');
  const textsOf = (role: string, from = 0) =>
    recent
      .slice(from)
      .filter((message) => message.role === role)
      .flatMap((message) => texts(message.content));
  return {
    protocol: 'openai',
    model: parsed.model,
    userTexts: textsOf('user'),
    toolResults: textsOf('tool', lastUser + 1),
    toolNames: parsed.tools.map((tool) => tool.function.name),
    wantsJson: parsed.response_format !== undefined && parsed.response_format.type !== 'text',
    streaming: parsed.stream,
    body,
  };
}

function texts(content: z.infer<typeof openAiContent> | undefined): readonly string[] {
  if (typeof content === 'string') return [content];
  return (content ?? []).flatMap((part) => (part.text === undefined ? [] : [part.text]));
}

// --- answers -----------------------------------------------------------------------------------

/** How one API writes an answer; `final` parts end it. */
interface Dialect {
  readonly streamType: string;
  /** One JSON event of a stream. */
  readonly part: (part: WireReplyPart, index: number) => unknown;
  readonly end: (toolCalls: boolean) => unknown;
  /** The line after the last event; empty for none. */
  readonly terminator: string;
  readonly whole: (parts: readonly WireReplyPart[]) => unknown;
}

type WireReplyPart = Extract<ReplyPart, { text: string } | { toolCall: unknown }>;

const USAGE = { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20 };

const geminiPartOf = (part: WireReplyPart) =>
  'text' in part
    ? { text: part.text }
    : { functionCall: { name: part.toolCall.name, args: part.toolCall.args } };

const GEMINI: Dialect = {
  streamType: 'text/event-stream',
  part: (part) => ({ candidates: [{ index: 0, content: { role: 'model', parts: [geminiPartOf(part)] } }] }),
  end: () => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP' }],
    usageMetadata: USAGE,
  }),
  terminator: '',
  whole: (parts) => ({
    candidates: [
      { index: 0, content: { role: 'model', parts: parts.map(geminiPartOf) }, finishReason: 'STOP' },
    ],
    usageMetadata: USAGE,
  }),
};

const OPENAI_HEAD = { id: 'chatcmpl-stand-in', created: 0, model: MODEL };
const OPENAI_USAGE = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };

const openAiCallOf = (call: Extract<WireReplyPart, { toolCall: unknown }>, index: number) => ({
  index,
  id: `call_${index}_${Math.random().toString(36).slice(2)}`,
  type: 'function',
  function: { name: call.toolCall.name, arguments: JSON.stringify(call.toolCall.args) },
});

const OPENAI: Dialect = {
  streamType: 'text/event-stream',
  part: (part, index) => ({
    ...OPENAI_HEAD,
    object: 'chat.completion.chunk',
    choices: [
      {
        index: 0,
        delta:
          'text' in part
            ? { role: 'assistant', content: part.text }
            : { role: 'assistant', tool_calls: [openAiCallOf(part, index)] },
        finish_reason: null,
      },
    ],
  }),
  end: (toolCalls) => ({
    ...OPENAI_HEAD,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: {}, finish_reason: toolCalls ? 'tool_calls' : 'stop' }],
    usage: OPENAI_USAGE,
  }),
  terminator: 'data: [DONE]\n\n',
  whole: (parts) => {
    const calls = parts.flatMap((part) => ('toolCall' in part ? [part] : []));
    const content = parts.map((part) => ('text' in part ? part.text : '')).join('');
    return {
      ...OPENAI_HEAD,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content,
            ...(calls.length === 0 ? {} : { tool_calls: calls.map(openAiCallOf) }),
          },
          finish_reason: calls.length === 0 ? 'stop' : 'tool_calls',
        },
      ],
      usage: OPENAI_USAGE,
    };
  },
};

async function writeReply(
  response: ServerResponse,
  request: ModelRequest,
  reply: ModelReply,
  dialect: Dialect,
): Promise<void> {
  if ('status' in reply) {
    return sendJson(response, reply.status, { error: { code: reply.status, message: reply.message } });
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (request.streaming) response.writeHead(200, { 'content-type': dialect.streamType });
  const said: WireReplyPart[] = [];
  let calls = 0;
  for (const part of reply.parts) {
    if (gone.signal.aborted) return;
    if ('pauseMs' in part) await delay(part.pauseMs, undefined, { signal: gone.signal }).catch(() => {});
    else if ('until' in part) await Promise.race([part.until, aborted(gone.signal)]);
    else {
      said.push(part);
      if (request.streaming) {
        response.write(`data: ${JSON.stringify(dialect.part(part, 'toolCall' in part ? calls++ : 0))}\n\n`);
      }
    }
  }
  if (gone.signal.aborted) return;
  if (!request.streaming) return sendJson(response, 200, dialect.whole(said));
  response.end(`data: ${JSON.stringify(dialect.end(calls > 0))}\n\n${dialect.terminator}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  const body: AsyncIterable<Buffer> = request;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('body too large');
    chunks.push(chunk);
  }
  const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  return parsed;
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return address.port;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
