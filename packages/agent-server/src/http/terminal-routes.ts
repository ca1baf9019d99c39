import { DialogError, type NamedDialog } from '../conversation/answering.ts';
import type { PtyConversation } from '../conversation/pty-conversation.ts';
import { Problem, unexpectedProblem, validationProblem, type ProblemDetail } from './problem.ts';
import { sendText, type Exchange } from './reply.ts';
import { BODY_TIMEOUT_MS, parseJsonObject, readBody } from './request-body.ts';
import type { Route } from './router.ts';
import { terminalStream } from './terminal-stream.ts';

/** The smallest size is the command line's (AA-007); a larger one than this would only take memory. */
const SIZE_LIMITS = { columns: { min: 10, max: 1_000 }, rows: { min: 10, max: 2_000 } } as const;
/** No dialog has more choices. */
const MAX_CHOICE = 99;

/**
 * What an agent in a terminal offers beyond agentapi's interface.
 *
 * - `GET /internal/dialog`: `{dialog}`, which is `null` or `{id, text, choices: [{label, keys}]}`: a question
 *   that the agent wants answered in keys, and that would swallow a message
 * - `POST /internal/dialog/{id}` with `{choice}`: takes a choice, counted from 0; `{ok: true}` once the dialog is
 *   gone. 409 when it is not up (any more), 422 when it has no such choice, 500 when nothing happens
 * - `POST /internal/resize` with `{columns, rows}`: gives the terminal another size (AA-169)
 * - `GET /internal/terminal`: a stream of the real screen; see {@link terminalStream}
 *
 * Requests wait until the agent is started; a rejection of `conversation` is answered with 500.
 */
export function terminalRoutes(conversation: Promise<PtyConversation>): (path: string) => Route | undefined {
  return (path) => {
    if (path === '/internal/dialog') {
      return {
        method: 'GET',
        handler: async (exchange) =>
          sendReply(exchange, { dialog: dialogBody((await started(conversation)).dialog()) }),
      };
    }
    if (path === '/internal/terminal') {
      return {
        method: 'GET',
        handler: async ({ response }, streams) =>
          streams.open(response, terminalStream((await started(conversation)).liveScreen)),
      };
    }
    if (path === '/internal/resize') {
      return { method: 'POST', handler: async (exchange) => resize(exchange, await started(conversation)) };
    }
    const id = /^\/internal\/dialog\/([^/]+)$/u.exec(path)?.[1];
    if (id === undefined) return undefined;
    return { method: 'POST', handler: async (exchange) => answer(exchange, await started(conversation), id) };
  };
}

async function started(conversation: Promise<PtyConversation>): Promise<PtyConversation> {
  return conversation.catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : 'unknown error';
    throw unexpectedProblem(`the agent could not be started: ${reason}`);
  });
}

async function answer(exchange: Exchange, agent: PtyConversation, id: string): Promise<void> {
  const members = await readMembers(exchange);
  const choice = members.integer('choice', { min: 0, max: MAX_CHOICE });
  members.check();
  try {
    await agent.answerDialog({ id, choice });
  } catch (error) {
    if (!(error instanceof DialogError)) throw error;
    switch (error.reason) {
      case 'no_dialog':
        throw new Problem(409, error.message);
      case 'unknown_choice':
        throw validationProblem([{ message: error.message, location: 'body.choice', value: choice }]);
      case 'no_reaction':
        throw unexpectedProblem(error.message);
    }
  }
  sendReply(exchange, { ok: true });
}

async function resize(exchange: Exchange, agent: PtyConversation): Promise<void> {
  const members = await readMembers(exchange);
  const columns = members.integer('columns', SIZE_LIMITS.columns);
  const rows = members.integer('rows', SIZE_LIMITS.rows);
  members.check();
  agent.resize(columns, rows);
  sendReply(exchange, { ok: true });
}

async function readMembers({ request }: Exchange): Promise<Members> {
  const body = await readBody(request, BODY_TIMEOUT_MS);
  return new Members(parseJsonObject(body, request.headers['content-type']));
}

/** Reads the members of a body. By hand: loading the schema library would cost every session 7 MB. */
class Members {
  readonly #body: object;
  readonly #unread: Map<string, unknown>;
  readonly #problems: ProblemDetail[] = [];

  constructor(body: object) {
    this.#body = body;
    this.#unread = new Map(Object.entries(body));
  }

  /** A required integer; a wrong one is reported by {@link check}. */
  integer(name: string, { min, max }: { readonly min: number; readonly max: number }): number {
    const value = this.#unread.get(name);
    this.#unread.delete(name);
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    const message = `expected an integer from ${min} to ${max}`;
    this.#problems.push({ message, location: `body.${name}`, ...(value === undefined ? {} : { value }) });
    return min;
  }

  /** @throws {Problem} 422 when a member was wrong, or nobody asked for one. */
  check(): void {
    for (const name of this.#unread.keys()) {
      this.#problems.push({ message: 'unexpected property', location: `body.${name}`, value: this.#body });
    }
    if (this.#problems.length > 0) throw validationProblem(this.#problems);
  }
}

function dialogBody(dialog: NamedDialog | null): object | null {
  if (dialog === null) return null;
  const { id, text, choices } = dialog;
  return { id, text, choices: choices.map(({ label, keys }) => ({ label, keys })) };
}

function sendReply(exchange: Exchange, body: object): void {
  sendText(exchange, 200, 'application/json', `${JSON.stringify(body)}\n`);
}
