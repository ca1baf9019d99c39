import { Socket } from 'node:net';
import type { ControlReport, ServeCommand } from './control.ts';

/** A command is some hundred bytes; more means that the other side is no supervisor of ours. */
const MAX_LINE_CHARACTERS = 65_536;
/** A supervisor that does not read must not keep a finished server alive. */
const FLUSH_LIMIT_MS = 2_000;

/**
 * The agent server's end of the channel to its supervisor (control.ts). Its loss is no failure:
 * reports are then dropped, the server goes on.
 *
 * Commands are checked by hand: loading zod costs more than everything else that happens before
 * the port is bound. A property test holds {@link parseServeCommand} against the schema.
 */
export class ControlChannel {
  readonly #socket: Socket;
  readonly #lost: Promise<void>;
  /** Complete lines that nobody asked for yet. */
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;
  #isLost = false;

  /** @throws {Error} when `fd` is not an open socket or pipe. */
  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#lost = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#isLost = true;
        this.#wake?.();
        resolve();
      });
    });
    // The event 'close' follows every error and says all that matters.
    this.#socket.on('error', () => {});
    let rest = '';
    this.#socket.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      this.#lines.push(...parts);
      if (rest.length > MAX_LINE_CHARACTERS) this.#socket.destroy();
      else this.#wake?.();
    });
  }

  /**
   * The next `serve`; lines that say something else are skipped.
   * @throws {Error} when the channel ends first.
   */
  async nextServe(): Promise<ServeCommand> {
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        const command = parseServeCommand(line);
        if (command !== null) return command;
      }
      if (this.#isLost)
        throw new Error('the supervisor closed the control channel before it said where to serve');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Sends one report; without effect once the channel is lost. */
  report(report: ControlReport): void {
    if (!this.#isLost) this.#socket.write(`${JSON.stringify(report)}\n`);
  }

  /** Sends what is still to be sent (≤ 2 s) and ends the channel. */
  async close(): Promise<void> {
    const limit = setTimeout(() => this.#socket.destroy(), FLUSH_LIMIT_MS);
    this.#socket.end(() => this.#socket.destroy());
    await this.#lost;
    clearTimeout(limit);
  }
}

/** One line of the channel as a command; `null` when it is none. Unknown members are ignored. */
export function parseServeCommand(line: string): ServeCommand | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (!('kind' in value) || value.kind !== 'serve') return null;
  if (!('port' in value) || typeof value.port !== 'number' || !Number.isInteger(value.port)) return null;
  if (value.port < 0 || value.port > 65_535) return null;
  if (!('token' in value) || typeof value.token !== 'string' || value.token.length < 16) return null;
  return { kind: 'serve', port: value.port, token: value.token };
}
