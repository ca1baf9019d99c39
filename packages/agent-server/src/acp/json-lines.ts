import type { Readable, Writable } from 'node:stream';
import { ReadableStream, WritableStream } from 'node:stream/web';
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk';

/** A line that was not passed on: no protocol message, longer than the limit, or of brackets within brackets. */
export type SkippedLine =
  | { readonly kind: 'not-protocol'; readonly text: string }
  | { readonly kind: 'too-long'; readonly limitBytes: number }
  | { readonly kind: 'too-deep'; readonly limit: number };

export interface JsonLineOptions {
  /** The agent's stdout. */
  readonly input: Readable;
  /** The agent's stdin. */
  readonly output: Writable;
  /** A longer line is skipped as a whole; reading goes on with the next. */
  readonly maxLineBytes: number;
  readonly onSkipped: (line: SkippedLine) => void;
}

/** Parsing takes the longer for each bracket the deeper it is: 5 s for a line of 10 MB that has nothing else. */
const MAX_LINE_DEPTH = 50_000;
/** Deeper than anybody's arguments; what is written out recursively, here and by everybody after us, must not run out of stack. */
const MAX_DEPTH = 200;
/** Stands for what lies deeper. */
const LEFT_OUT = '[left out: nested too deeply]';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Longest piece of a skipped line that is reported. */
const MAX_REPORTED_CHARS = 500;

/**
 * JSON-RPC messages as lines over a child's stdio. Unlike the SDK's own stream it survives agents
 * that print log lines to stdout, and lines beyond the limits: both are reported and skipped. Of values that lie deeper
 * than 200 others a text says that they are left out.
 */
export function jsonLineStream(options: JsonLineOptions): Stream {
  return {
    readable: ReadableStream.from(readMessages(options)),
    writable: new WritableStream<AnyMessage>({
      write: (message) => writeLine(options.output, JSON.stringify(message)),
    }),
  };
}

function writeLine(output: Writable, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
  });
}

async function* readMessages(options: JsonLineOptions): AsyncGenerator<AnyMessage> {
  for await (const line of splitLines(options)) {
    if (isDeeper(line, MAX_LINE_DEPTH)) {
      options.onSkipped({ kind: 'too-deep', limit: MAX_LINE_DEPTH });
      continue;
    }
    const text = line.toString('utf8').trim();
    if (text === '') continue;
    const message = parseMessage(text);
    if (message === null)
      options.onSkipped({ kind: 'not-protocol', text: text.slice(0, MAX_REPORTED_CHARS) });
    else yield message;
  }
}

async function* splitLines(options: JsonLineOptions): AsyncGenerator<Buffer> {
  const { input, maxLineBytes, onSkipped } = options;
  let parts: Buffer[] = [];
  let pendingBytes = 0;
  let skipping = false;
  const chunks: AsyncIterable<Buffer> = input;
  for await (const chunk of chunks) {
    let start = 0;
    while (start < chunk.length) {
      const lineFeed = chunk.indexOf(0x0a, start);
      const end = lineFeed === -1 ? chunk.length : lineFeed;
      if (!skipping && pendingBytes + end - start > maxLineBytes) {
        skipping = true;
        parts = [];
        onSkipped({ kind: 'too-long', limitBytes: maxLineBytes });
      }
      if (!skipping) {
        parts.push(chunk.subarray(start, end));
        pendingBytes += end - start;
      }
      if (lineFeed !== -1) {
        if (!skipping) yield Buffer.concat(parts);
        parts = [];
        pendingBytes = 0;
        skipping = false;
      }
      start = end + 1;
    }
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

/** The message, or `null` for anything else; the SDK checks the rest of the envelope. */
function parseMessage(text: string): AnyMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isMessage(value)) return null;
  flatten(value, 1);
  return value;
}

function isMessage(value: unknown): value is AnyMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return 'jsonrpc' in value && value.jsonrpc === '2.0' && ('method' in value || 'id' in value);
}

/** Whether a line has more brackets open at a time, outside of strings. */
function isDeeper(line: Buffer, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at];
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth += 1;
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}

/** Replaces the values that lie too deep in a parsed value. */
function flatten(container: object, depth: number): void {
  for (const key of Object.keys(container)) {
    const value: unknown = Reflect.get(container, key);
    if (typeof value !== 'object' || value === null) continue;
    if (depth < MAX_DEPTH) flatten(value, depth + 1);
    else Reflect.set(container, key, LEFT_OUT);
  }
}
