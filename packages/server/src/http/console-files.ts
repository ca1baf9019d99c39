import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const INDEX = 'index.html';
/** Files below it have names that change with their contents. */
const HASHED_FOLDER = 'assets/';
/** What stands in the built page where the way back to the console's root belongs. */
const BASE = '<base href="./">';

/** One step below the best: half the size gains it all, and it takes a tenth of the time. */
const BROTLI_QUALITY = 9;

/** Types of what a console is made of; text is sent compressed. */
const TYPES: Readonly<Record<string, readonly [type: string, isText: boolean]>> = {
  '.html': ['text/html; charset=utf-8', true],
  '.js': ['text/javascript; charset=utf-8', true],
  '.css': ['text/css; charset=utf-8', true],
  '.json': ['application/json', true],
  '.webmanifest': ['application/manifest+json', true],
  '.svg': ['image/svg+xml', true],
  '.txt': ['text/plain; charset=utf-8', true],
  '.png': ['image/png', false],
  '.webp': ['image/webp', false],
  '.ico': ['image/x-icon', false],
  '.woff2': ['font/woff2', false],
};

/** How a body is packed on the way. */
type Coding = 'br' | 'gzip' | 'identity';

/** A file as it is sent. */
export interface SentFile {
  readonly type: string;
  readonly body: Buffer;
  readonly coding: Coding;
  readonly etag: string;
  /** Whether another content would have another name. */
  readonly isHashed: boolean;
}

interface LoadedFile {
  readonly type: string;
  readonly isText: boolean;
  readonly body: Buffer;
  readonly etag: string;
  readonly isHashed: boolean;
  readonly packed: Map<Coding, Promise<Buffer>>;
}

interface LoadedFolder {
  /** Tells one build from another. */
  readonly stamp: string;
  /** By the path in the folder; only what is in here can be had, so no path leads out of it. */
  readonly files: ReadonlyMap<string, LoadedFile>;
}

/** The built console: read when it is first asked for, kept in memory, read again when it was built anew. */
export class ConsoleFiles {
  readonly #folder: string;
  #loaded: LoadedFolder | null = null;
  #loading: Promise<LoadedFolder | null> | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether there is a console at all. */
  async isBuilt(): Promise<boolean> {
    return (await this.#current()) !== null;
  }

  /**
   * A file by its path in the folder, such as `assets/main-3f2a.js`; `null` when there is none.
   * @param accepted - value of `Accept-Encoding`.
   */
  async find(path: string, accepted: string | undefined): Promise<SentFile | null> {
    const file = (await this.#current())?.files.get(path);
    if (file === undefined || path === INDEX) return null;
    const coding = file.isText ? codingOf(accepted) : 'identity';
    let body = file.packed.get(coding);
    if (body === undefined) {
      body = pack(file.body, coding);
      file.packed.set(coding, body);
    }
    const { type, etag, isHashed } = file;
    return { type, etag, isHashed, coding, body: await body };
  }

  /**
   * The page, which shows what its address says.
   * @param base - the way from the address of the page back to the console's root, such as `../`.
   * @returns `null` when the console was not built.
   */
  async page(base: string, accepted: string | undefined): Promise<SentFile | null> {
    const file = (await this.#current())?.files.get(INDEX);
    if (file === undefined) return null;
    const html = Buffer.from(file.body.toString('utf8').replace(BASE, `<base href="${base}">`), 'utf8');
    const coding = codingOf(accepted);
    const body = await pack(html, coding);
    return { type: file.type, etag: etagOf(html), isHashed: false, coding, body };
  }

  async #current(): Promise<LoadedFolder | null> {
    const stamp = await stampOf(join(this.#folder, INDEX));
    if (stamp === null) return null;
    if (this.#loaded?.stamp === stamp) return this.#loaded;
    this.#loading ??= this.#load(stamp);
    return this.#loading;
  }

  async #load(stamp: string): Promise<LoadedFolder | null> {
    try {
      this.#loaded = { stamp, files: await readFiles(this.#folder) };
      return this.#loaded;
    } finally {
      this.#loading = null;
    }
  }
}

async function readFiles(folder: string): Promise<ReadonlyMap<string, LoadedFile>> {
  const files = new Map<string, LoadedFile>();
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const [type, isText] = TYPES[extname(entry.name)] ?? [];
    if (!entry.isFile() || type === undefined || isText === undefined) continue;
    const place = join(entry.parentPath, entry.name);
    const path = relative(folder, place).split(sep).join('/');
    const body = await readFile(place);
    const isHashed = path.startsWith(HASHED_FOLDER);
    files.set(path, { type, isText, body, etag: etagOf(body), isHashed, packed: new Map() });
  }
  return files;
}

/** `null` when there is no such file. */
async function stampOf(path: string): Promise<string | null> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino}-${mtimeMs}-${size}`;
  } catch {
    return null;
  }
}

/** Weak: the same for every coding. */
function etagOf(body: Buffer): string {
  return `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
}

/** The best coding that a client takes (RFC 9110 section 12.5.3). */
function codingOf(accepted: string | undefined): Coding {
  const weights = new Map<string, number>();
  for (const member of (accepted ?? '').split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  const takes = (name: string): boolean => (weights.get(name) ?? weights.get('*') ?? 0) > 0;
  if (takes('br')) return 'br';
  return takes('gzip') ? 'gzip' : 'identity';
}

async function pack(body: Buffer, coding: Coding): Promise<Buffer> {
  switch (coding) {
    case 'br':
      return promisify(brotliCompress)(body, {
        params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
      });
    case 'gzip':
      return promisify(gzip)(body);
    case 'identity':
      return body;
  }
}
