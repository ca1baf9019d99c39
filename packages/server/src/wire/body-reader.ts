import { MalformedMessage } from './malformed.ts';
import { parseFields } from './head-parser.ts';

const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;

/** Digits of a chunk's size: more than any sender writes, and no two readers read fewer of them differently. */
const MAX_SIZE_DIGITS = 8;

/** Largest chunk, in bytes: beyond, readers with 32-bit numbers take it for something else. */
const MAX_CHUNK = 0x7fff_ffff;

/** Chunk extensions mean nothing to anybody; a few are tolerated and never passed on. */
const MAX_EXTENSION_CHARS = 256;

/** Fields after the last chunk together. */
const MAX_TRAILER_BYTES = 8_192;

/** Takes the payload of a body, without its framing. The bytes are valid during the call only. */
export interface BodySink {
  onBody(bytes: Buffer, start: number, end: number): void;
}

/** How the end of a body is found (RFC 9112 section 6.3). */
export type BodyKind = 'none' | 'length' | 'chunked' | 'until-close';

/** What the next byte of a chunked body belongs to. */
const AT = {
  sizeStart: 0,
  size: 1,
  extension: 2,
  sizeLf: 3,
  data: 4,
  dataCr: 5,
  dataLf: 6,
  trailers: 7,
} as const;

/** Reads one body as it comes in, checks its framing strictly and finds its end. */
export class BodyReader {
  readonly kind: BodyKind;
  /** Fields after a chunked body, names and values in turn; complete when {@link done}. */
  readonly trailers: string[] = [];
  #done: boolean;
  #left: number;
  #state: number = AT.sizeStart;
  #digits = 0;
  #extension = 0;
  #trailerText = '';

  /** `length` is for the kind `length` only. */
  constructor(kind: BodyKind, length = 0) {
    this.kind = kind;
    this.#left = length;
    this.#done = kind === 'none' || (kind === 'length' && length === 0);
  }

  /** Whether the last byte of the body was read. Never for a body that ends with its connection. */
  get done(): boolean {
    return this.#done;
  }

  /** Announced bytes that have not come. */
  get left(): number {
    return this.kind === 'length' ? this.#left : 0;
  }

  /**
   * Hands the payload in `bytes` from `start` to the sink.
   * @returns the index behind the last byte that belongs to the body.
   * @throws MalformedMessage when the framing is not exactly what the RFC describes.
   */
  read(bytes: Buffer, start: number, sink: BodySink): number {
    if (this.#done) return start;
    switch (this.kind) {
      case 'none':
        return start;
      case 'until-close':
        if (start < bytes.length) sink.onBody(bytes, start, bytes.length);
        return bytes.length;
      case 'length': {
        const end = Math.min(bytes.length, start + this.#left);
        this.#left -= end - start;
        if (this.#left === 0) this.#done = true;
        if (end > start) sink.onBody(bytes, start, end);
        return end;
      }
      case 'chunked':
        return this.#readChunks(bytes, start, sink);
    }
  }

  #readChunks(bytes: Buffer, start: number, sink: BodySink): number {
    let i = start;
    while (i < bytes.length) {
      if (this.#state === AT.data) {
        const end = Math.min(bytes.length, i + this.#left);
        this.#left -= end - i;
        if (this.#left === 0) this.#state = AT.dataCr;
        const from = i;
        i = end;
        sink.onBody(bytes, from, end);
        continue;
      }
      if (this.#state === AT.trailers) {
        i = this.#readTrailers(bytes, i);
        if (this.#done) return i;
        continue;
      }
      this.#step(bytes[i] ?? 0);
      i += 1;
    }
    return i;
  }

  /** One byte of what stands between the data of two chunks. */
  #step(byte: number): void {
    switch (this.#state) {
      case AT.sizeStart:
      case AT.size: {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          this.#digits += 1;
          this.#left = this.#left * 16 + digit;
          if (this.#digits > MAX_SIZE_DIGITS || this.#left > MAX_CHUNK) bad('A chunk is too large');
          this.#state = AT.size;
        } else if (this.#digits === 0) {
          bad('A chunk has no size');
        } else if (byte === CR) {
          this.#state = AT.sizeLf;
        } else if (byte === SEMICOLON) {
          this.#extension = 0;
          this.#state = AT.extension;
        } else {
          bad('A chunk size is not a number');
        }
        return;
      }
      case AT.extension:
        if (byte === CR) {
          this.#state = AT.sizeLf;
          return;
        }
        this.#extension += 1;
        if (byte < 0x20 || byte > 0x7e || this.#extension > MAX_EXTENSION_CHARS)
          bad('A chunk extension is not valid');
        return;
      case AT.sizeLf:
        if (byte !== LF) bad('A chunk size does not end with its line');
        this.#digits = 0;
        this.#state = this.#left === 0 ? AT.trailers : AT.data;
        return;
      case AT.dataCr:
        if (byte !== CR) bad('A chunk is longer than its size');
        this.#state = AT.dataLf;
        return;
      default:
        if (byte !== LF) bad('A chunk does not end with its line');
        this.#state = AT.sizeStart;
    }
  }

  #readTrailers(bytes: Buffer, start: number): number {
    // Almost always it is the blank line at once.
    let i = start;
    while (i < bytes.length) {
      const lineEnd = bytes.indexOf(LF, i);
      const end = lineEnd === -1 ? bytes.length : lineEnd + 1;
      this.#trailerText += bytes.toString('latin1', i, end);
      i = end;
      if (this.#trailerText.length > MAX_TRAILER_BYTES) bad('The fields after the body are too long');
      if (lineEnd === -1) return i;
      if (!this.#trailerText.endsWith('\r\n')) bad('A line ends without a carriage return');
      if (this.#trailerText === '\r\n' || this.#trailerText.endsWith('\r\n\r\n')) {
        parseFields(this.#trailerText, 0, this.trailers);
        this.#done = true;
        return i;
      }
    }
    return i;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function bad(text: string): never {
  throw new MalformedMessage(text);
}
