import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type * as busboy from '@fastify/busboy';
import { Problem, unexpectedProblem, validationProblem } from './problem.ts';
import { CallerGone } from './request-body.ts';

/** The largest file; one of exactly this size is fine (AA-054). */
const FILE_LIMIT_BYTES = 10 * 1024 * 1024;
/** What may stand around the file: boundaries, part headers and small fields (AA-057). */
const OVERHEAD_LIMIT_BYTES = 1024 * 1024;
/** The longest file name that common file systems take. */
const NAME_LIMIT_BYTES = 255;

/** The files of `POST /upload`, in a folder of their own that goes with the server (agentapi section 2.8). */
export class UploadFolder {
  readonly #parent: string;
  #root: Promise<string> | undefined;
  #received = 0;

  /** The folder itself is created inside `parent` by the first upload. */
  constructor(parent: string = tmpdir()) {
    this.#parent = parent;
  }

  /**
   * Stores the one file part named `file` of a multipart request.
   * @returns the absolute path, the same for the same name and content (AA-053).
   * @throws {Problem} when the request is not what it must be, or the file cannot be written.
   * @throws {CallerGone} when the connection ends first.
   */
  async receive(request: IncomingMessage): Promise<string> {
    if (Number(request.headers['content-length'] ?? 0) > FILE_LIMIT_BYTES + OVERHEAD_LIMIT_BYTES)
      throw tooLarge();
    const form = openForm(request.headers['content-type'] ?? '');
    let incoming: string | undefined;
    try {
      const root = await this.#folder();
      incoming = join(root, `incoming-${++this.#received}`);
      const file = await readForm(request, form, incoming);
      const folder = join(root, file.digest.slice(0, 16));
      await mkdir(folder, { recursive: true, mode: 0o755 });
      const path = join(folder, file.name);
      await rename(incoming, path);
      return path;
    } catch (error) {
      if (error instanceof Problem || error instanceof CallerGone) throw error;
      throw unexpectedProblem(
        `failed to write file: ${error instanceof Error ? error.message : 'unknown error'}`,
      );
    } finally {
      if (incoming !== undefined) await rm(incoming, { force: true });
    }
  }

  /** Deletes everything that was uploaded (AA-056). */
  async dispose(): Promise<void> {
    const root = await this.#root?.catch(() => undefined);
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  }

  #folder(): Promise<string> {
    this.#root ??= mkdtemp(join(this.#parent, 'agentapi-uploads-'));
    return this.#root;
  }
}

interface ReceivedFile {
  readonly name: string;
  readonly digest: string;
}

function openForm(contentType: string): busboy.BusboyInstance {
  if (!/^multipart\/form-data\s*(?:;|$)/iu.test(contentType)) {
    throw unreadable('the Content-Type is not multipart/form-data');
  }
  // `require` instead of `import`, which would keep Node's scanner of CommonJS exports in memory.
  const { Busboy }: typeof busboy = createRequire(import.meta.url)('@fastify/busboy');
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      // Only `/` separates folders here; the parser would also cut at a backslash.
      preservePath: true,
      isPartAFile: (_field, _type, fileName) => fileName !== undefined && fileName !== '',
      limits: { fileSize: FILE_LIMIT_BYTES, fields: 100, fieldSize: 65_536, headerPairs: 100 },
    });
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : 'unknown error');
  }
}

/** Reads the form and writes its file to `path`; ends reading as soon as the request is known to be wrong. */
async function readForm(
  request: IncomingMessage,
  form: busboy.BusboyInstance,
  path: string,
): Promise<ReceivedFile> {
  const files: { readonly name: string; readonly written: Promise<string> }[] = [];
  let bytes = 0;
  const stop = new AbortController();
  const read = new Promise<void>((resolve, reject) => {
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > FILE_LIMIT_BYTES + OVERHEAD_LIMIT_BYTES) refuse(tooLarge());
    };
    const refuse = (problem: Error) => {
      if (stop.signal.aborted) return;
      request.unpipe(form).off('data', count).pause();
      stop.abort(problem);
      reject(problem);
    };
    form.on('file', (field, stream, fileName) => {
      // A part that the body breaks off in fails of itself; the form tells it too.
      stream.on('error', () => {});
      const name = baseName(fileName);
      if (field !== 'file') stream.resume();
      else if (files.length > 0) {
        stream.resume();
        refuse(fileProblem('Multiple files received but only one was expected'));
      } else if (name === null) {
        stream.resume();
        refuse(new Problem(400, `invalid file name: ${fileName}`));
      } else {
        stream.once('limit', () => refuse(tooLarge()));
        const written = writeFile(stream, path, stop.signal);
        written.catch(refuse);
        files.push({ name, written });
      }
    });
    form.once('finish', resolve);
    form.on('error', (error: unknown) =>
      refuse(unreadable(error instanceof Error ? error.message : 'bad form')),
    );
    request.on('data', count);
    request.once('close', () => {
      if (!request.complete) refuse(new CallerGone());
    });
    request.pipe(form);
  });
  try {
    await read;
  } catch (error) {
    // The half-written file is removed by the caller, once nothing writes to it any more.
    await Promise.allSettled(files.map((file) => file.written));
    throw error;
  }
  const [file] = files;
  if (file === undefined) throw fileProblem('File required');
  return { name: file.name, digest: await file.written };
}

/** @returns the SHA-256 digest of the content in hex. */
async function writeFile(
  content: busboy.BusboyFileStream,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    content,
    async function* digest(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o644 }),
    { signal },
  );
  return hash.digest('hex');
}

/** The last component of a path; `null` when no file can have that name. */
function baseName(fileName: string): string | null {
  const name = fileName.replace(/\/+$/u, '').split('/').at(-1) ?? '';
  const impossible = name === '' || name === '.' || name === '..' || name.includes('\0');
  return impossible || Buffer.byteLength(name) > NAME_LIMIT_BYTES ? null : name;
}

function tooLarge(): Problem {
  return new Problem(400, 'file size exceeds 10MB limit');
}

function fileProblem(message: string): Problem {
  return validationProblem([{ message, location: 'file' }]);
}

function unreadable(reason: string): Problem {
  return validationProblem([{ message: `cannot read multipart form: ${reason}`, location: 'body' }]);
}
