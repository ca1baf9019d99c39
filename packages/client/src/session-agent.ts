import {
  cancelReplySchema,
  dialogReplySchema,
  okReplySchema,
  parseAcpEvent,
  parseTerminalEvent,
  screenSchema,
  type AcpEvent,
  type AgentDialog,
  type TerminalEvent,
} from './agent-schemas.ts';
import { followStream, type StreamOptions } from './journal.ts';
import { pathSegment } from './path-segment.ts';
import type { CallOptions, Transport } from './transport.ts';

/**
 * What a session's agent asks and does besides talking: dialogs of agents in a terminal; tool calls and permission
 * requests of those that speak the Agent Client Protocol. There while the session runs, and not with other agent
 * servers: these answer with an {@link ApiError} of kind `not_found`.
 */
export class SessionAgent {
  readonly #transport: Transport;
  readonly #agent: (route: string) => string;

  /** @internal */
  constructor(transport: Transport, agent: (route: string) => string) {
    this.#transport = transport;
    this.#agent = agent;
  }

  /** The dialog that waits for an answer; `null` without one. */
  async dialog(options: CallOptions = {}): Promise<AgentDialog | null> {
    const call = { ...options, method: 'GET', path: this.#agent('internal/dialog') } as const;
    return (await this.#transport.json(call, dialogReplySchema)).dialog;
  }

  /**
   * Takes a choice of a dialog, counted from 0; resolves once the dialog is gone.
   *
   * @throws ApiError of kind `conflict` when it is not up any more
   */
  async choose(dialogId: string, choice: number, options: CallOptions = {}): Promise<void> {
    const path = this.#agent(`internal/dialog/${pathSegment('dialog', dialogId)}`);
    await this.#transport.json({ ...options, method: 'POST', path, json: { choice } }, okReplySchema);
  }

  /**
   * Answers a permission request with one of its options; `null` turns it away without a choice.
   *
   * @throws ApiError of kind `not_found` when it does not wait any more
   */
  async answer(requestId: string, optionId: string | null, options: CallOptions = {}): Promise<void> {
    const path = this.#agent(`acp/permissions/${pathSegment('request', requestId)}`);
    const json = optionId === null ? { outcome: 'cancelled' } : { option_id: optionId };
    await this.#transport.json({ ...options, method: 'POST', path, json }, okReplySchema);
  }

  /** Cancels what an agent that speaks the Agent Client Protocol does. @returns whether it did anything */
  async cancelTurn(options: CallOptions = {}): Promise<boolean> {
    const call = { ...options, method: 'POST', path: this.#agent('acp/cancel') } as const;
    return (await this.#transport.json(call, cancelReplySchema)).cancelled;
  }

  /**
   * Tool calls, plan and permission requests. Each connection begins with how they are; those that break are
   * replaced, until the signal ends it.
   */
  async *acpEvents(options: StreamOptions = {}): AsyncGenerator<AcpEvent, void, undefined> {
    const path = this.#agent('acp/events');
    for await (const { name, data } of followStream(this.#transport, () => path, options)) {
      const event = parseAcpEvent(name, JSON.parse(data));
      if (event !== undefined) yield event;
    }
  }

  /**
   * The screen of an agent in a terminal, for emulators. Each connection begins with a `repaint`; those that break are
   * replaced, until the signal ends it. What the emulator answers to the output must not be sent: the agent server
   * has done so. Keys go through `session.sendRaw()`.
   */
  async *terminal(options: StreamOptions = {}): AsyncGenerator<TerminalEvent, void, undefined> {
    const path = this.#agent('internal/terminal');
    for await (const { name, data } of followStream(this.#transport, () => path, options)) {
      const event = parseTerminalEvent(name, JSON.parse(data));
      if (event !== undefined) yield event;
    }
  }

  /** The same as plain text whenever it changes, which external agent servers have as well. */
  async *screens(options: StreamOptions = {}): AsyncGenerator<string, void, undefined> {
    const path = this.#agent('internal/screen');
    for await (const { name, data } of followStream(this.#transport, () => path, options)) {
      const screen = name === 'screen' ? screenSchema.safeParse(JSON.parse(data)).data : undefined;
      if (screen !== undefined) yield screen.screen;
    }
  }

  /** Gives the terminal of the agent another size, in cells; for everybody who looks at it. */
  async resizeTerminal(columns: number, rows: number, options: CallOptions = {}): Promise<void> {
    const call = { ...options, method: 'POST', path: this.#agent('internal/resize') } as const;
    await this.#transport.json({ ...call, json: { columns, rows } }, okReplySchema);
  }
}
