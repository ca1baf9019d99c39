import type { Readable, Writable } from 'node:stream';
import { ReadableStream, WritableStream } from 'node:stream/web';
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk';

/** A line that was not passed on: no protocol message, or longer than the limit. */
export type SkippedLine =
  | { readonly kind: 'not-protocol'; readonly text: string }
  | { readonly kind: 'too-long'; readonly limitBytes: number };

export interface JsonLineOptions {
  /** The agent's stdout. */
  readonly input: Readable;
  /** The agent's stdin. */
  readonly output: Writable;
  /** A longer line is skipped as a whole; reading goes on with the next. */
  readonly maxLineBytes: number;
  readonly onSkipped: (line: SkippedLine) => void;
}

/** Longest piece of a skipped line that is reported. */
const MAX_REPORTED_CHARS = 500;

/**
 * JSON-RPC messages as lines over a child's stdio. Unlike the SDK's own stream it survives agents
 * that print log lines to stdout, and lines beyond the limit: both are reported and skipped.
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
  return isMessage(value) ? value : null;
}

function isMessage(value: unknown): value is AnyMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return 'jsonrpc' in value && value.jsonrpc === '2.0' && ('method' in value || 'id' in value);
}
