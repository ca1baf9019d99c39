import { StringDecoder } from 'node:string_decoder';
import { AttachError, attachUrl, ServerLink } from './server-link.ts';
import { ENTER_VIEW, LEAVE_VIEW, repaint, visibleRows } from './viewport.ts';

export { AttachError } from './server-link.ts';

export interface AttachOptions {
  /** As given by the user; see {@link attachUrl}. */
  readonly url: string;
  /** The user's terminal; put into raw mode while attached. */
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Presented to a server that wants one. */
  readonly token?: string;
  /** The control character that detaches instead of reaching the agent; Ctrl+C without it. */
  readonly detachKey?: string;
  /** Detaches when aborted. */
  readonly signal?: AbortSignal;
  /** Told about problems that do not prevent the attachment. */
  readonly warn?: (text: string) => void;
}

const CTRL_C = '\x03';
/** The terminal must be given back even when it takes no output (agentapi section 1.7). */
const RESTORE_LIMIT_MS = 1_000;
/** Keys typed before the detach key may still be on their way. */
const LAST_KEYS_LIMIT_MS = 500;
/** Size of an output that does not tell its own. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

/**
 * Shows the agent's screen in the user's terminal and sends the user's keys, until the detach key or `signal`
 * (agentapi section 1.7). The window shows the last rows of the remote screen that fit and follows
 * its own resizes; the remote terminal is never resized. The terminal is restored in every case.
 * @throws {AttachError} when the attachment cannot be made, or ends by the server or an error.
 */
export async function attach(options: AttachOptions): Promise<void> {
  const { input, output, warn = () => {} } = options;
  const ended = new AbortController();
  const signal = options.signal ? AbortSignal.any([ended.signal, options.signal]) : ended.signal;
  using link = new ServerLink(attachUrl(options.url), options.token);
  const transport = await link.transport(signal).catch((error: unknown) => {
    if (!signal.aborted) warn(`the status of the server is unknown: ${reasonOf(error)}`);
    return undefined;
  });
  if (signal.aborted) return;
  if (transport === 'acp') throw new AttachError('attach is not yet supported in ACP mode');
  if (!input.isTTY) throw new AttachError('standard input is not a terminal');

  const wasRaw = input.isRaw;
  input.setRawMode(true);
  output.write(ENTER_VIEW);
  const view = new View(output);
  try {
    const detached = forwardKeys({ input, link, signal, detachKey: options.detachKey ?? CTRL_C });
    await Promise.race([detached, showScreens(link, view, signal)]);
  } catch (error) {
    if (!signal.aborted) throw asAttachError(error);
  } finally {
    ended.abort();
    view.close();
    input.setRawMode(wasRaw);
    input.pause();
    await leaveView(output);
  }
}

async function showScreens(link: ServerLink, view: View, signal: AbortSignal): Promise<never> {
  for await (const screen of link.screens(signal)) view.show(screen);
  throw new AttachError('the server has ended the stream');
}

/** The local window onto the remote screen; writes no faster than the terminal takes it. */
class View {
  readonly #output: NodeJS.WriteStream;
  #screen: string | null = null;
  #shown: readonly string[] | null = null;
  readonly #onResize = () => {
    this.#shown = null;
    this.#paint();
  };
  readonly #onDrain = () => this.#paint();

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
    output.on('resize', this.#onResize);
    output.on('drain', this.#onDrain);
  }

  show(screen: string): void {
    this.#screen = screen;
    this.#paint();
  }

  close(): void {
    this.#output.off('resize', this.#onResize);
    this.#output.off('drain', this.#onDrain);
  }

  #paint(): void {
    // Only the newest screen matters: what comes while the terminal is busy is shown when it is not.
    if (this.#screen === null || this.#output.writableNeedDrain) return;
    const rows = visibleRows(this.#screen, {
      columns: this.#output.columns || DEFAULT_SIZE.columns,
      rows: this.#output.rows || DEFAULT_SIZE.rows,
    });
    const text = repaint(this.#shown, rows);
    this.#shown = rows;
    if (text !== '') this.#output.write(text);
  }
}

interface KeySource {
  readonly input: NodeJS.ReadStream;
  readonly link: ServerLink;
  readonly signal: AbortSignal;
  readonly detachKey: string;
}

/** Sends every chunk as one message, one after another; resolves at the detach key or the end of the input. */
function forwardKeys({ input, link, signal, detachKey }: KeySource): Promise<void> {
  const decoder = new StringDecoder('utf8');
  return new Promise((resolve, reject) => {
    let sending = Promise.resolve();
    const send = (keys: string) => {
      if (keys === '') return;
      sending = sending.then(() => link.sendKeys(keys, signal));
      sending.catch(reject);
    };
    const onData = (chunk: Buffer) => {
      const keys = decoder.write(chunk);
      const end = keys.indexOf(detachKey);
      if (end === -1) {
        send(keys);
        return;
      }
      send(keys.slice(0, end));
      input.off('data', onData);
      const limit = setTimeout(finish, LAST_KEYS_LIMIT_MS);
      sending.then(finish, reject).finally(() => clearTimeout(limit));
    };
    const finish = () => {
      input.off('data', onData).off('end', finish).off('error', finish);
      resolve();
    };
    signal.addEventListener('abort', finish, { once: true });
    // A terminal that goes away ends the attachment like the detach key.
    input.on('data', onData).once('end', finish).once('error', finish).resume();
  });
}

async function leaveView(output: NodeJS.WriteStream): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, RESTORE_LIMIT_MS);
  });
  const written = new Promise<void>((resolve) => {
    output.write(LEAVE_VIEW, () => resolve());
  });
  await Promise.race([written, limit]);
  clearTimeout(timer);
}

function asAttachError(error: unknown): AttachError {
  return error instanceof AttachError ? error : new AttachError(reasonOf(error), { cause: error });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
