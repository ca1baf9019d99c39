import { fileURLToPath } from 'node:url';
import {
  startAgentapi,
  temporaryFolder,
  type AgentapiProgram,
  type AgentapiServer,
} from './agentapi-program.ts';
import { recordEvents, summary, verbatim, type EventRecorder } from './event-recorder.ts';
import { observeReply, post, type Observation } from './observation.ts';

/** Something that is done with an agentapi program, and what is seen of it. */
export interface Scenario {
  /** Also the first step of the fields' paths. */
  readonly name: string;
  /** The rows of the specification that it shows. */
  readonly rows: string;
  observe(program: AgentapiProgram): Promise<Observation>;
  /** What our own server must show: everything, or with matchers of vitest in place of details. */
  readonly expected: Readonly<Record<string, unknown>>;
}

/** The command line of a terminal program of the scenarios. */
export function agent(name: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, fileURLToPath(new URL(`../scenarios/${name}.mjs`, import.meta.url)), ...args];
}

/** Runs `work` with a server of its own. */
export async function withServer<T>(
  program: AgentapiProgram,
  options: { readonly agent: readonly string[]; readonly flags?: readonly string[]; readonly stdin?: string },
  work: (server: AgentapiServer) => Promise<T>,
): Promise<T> {
  await using folder = await temporaryFolder();
  await using server = await startAgentapi(program, { folder: folder.path, ...options });
  return await work(server);
}

/** Waits for the status `stable` behind the first `seen` events; before, the agent may have been stable already. */
export async function untilStable(events: EventRecorder, seen = 0): Promise<void> {
  await events.until('status stable', (list) => {
    const statuses = list.slice(seen).filter(({ event }) => event === 'status_change');
    return statuses.at(-1)?.data['status'] === 'stable';
  });
}

/** Sends a user message, waits for the end of the turn, and says what was seen of it. */
export async function takeTurn(
  server: AgentapiServer,
  events: EventRecorder,
  content: string,
): Promise<Readonly<Record<string, Observation>>> {
  const seen = events.events.length;
  const reply = await post(server, 'user', content);
  await untilStable(events, seen);
  return { reply, events: summary(events.events.slice(seen), server) };
}

/** `GET /messages`. */
export function messagesOf(server: AgentapiServer): Promise<Observation> {
  return observeReply(server, { path: '/messages' });
}

/** A conversation with an agent, from its greeting to its end. */
export function conversation(options: {
  readonly name: string;
  readonly rows: string;
  readonly agent: readonly string[];
  readonly flags?: readonly string[];
  readonly stdin?: string;
  /** What the user says. */
  readonly turns: readonly string[];
  /** The greeting, then what is said, in turn. */
  readonly texts: readonly string[];
  /** Turns that the server has taken by itself before. */
  readonly turnsBefore?: number;
}): Scenario {
  const { name, rows, turns, texts, turnsBefore = 0 } = options;
  const transport = options.flags?.includes('--experimental-acp') === true ? 'acp' : 'pty';
  // An ACP agent has no screen, and so no greeting.
  const firstIsUser = transport === 'acp';
  const roleOf = (id: number): string => ((id % 2 === 1) === firstIsUser ? 'agent' : 'user');
  const greeting = firstIsUser ? 0 : 1;
  return {
    name,
    rows,
    observe: async (program) =>
      withServer(program, options, async (server) => {
        await using first = await recordEvents(server, '/events');
        await untilStable(first);
        // A second stream shows the burst for somebody who comes later.
        await using events = await recordEvents(server, '/events');
        await events.until('the first burst', (list) => list.some(({ event }) => event === 'status_change'));
        const burst = verbatim(events.events, server);
        const taken: Observation[] = [];
        for (const turn of turns) taken.push(await takeTurn(server, events, turn));
        return {
          burst,
          turns: taken,
          messages: await messagesOf(server),
          status: await observeReply(server, { path: '/status' }),
        };
      }),
    expected: {
      burst: [
        ...texts.slice(0, greeting + 2 * turnsBefore).map((message, id) => ({
          event: 'message_update',
          data: { id, role: roleOf(id), message, time: '<time>' },
        })),
        { event: 'status_change', data: { status: 'stable', agent_type: 'custom' } },
      ],
      turns: turns.map((_, index) => {
        const id = greeting + 2 * (turnsBefore + index);
        return {
          reply: described('MessageResponseBody', { ok: true }),
          events: {
            statuses: ['running', 'stable'],
            messages: [id, id + 1].map((i) => ({
              id: i,
              role: roleOf(i),
              message: texts[i],
              time: '<time>',
            })),
            others: [],
          },
        };
      }),
      messages: described('MessagesResponseBody', {
        messages: texts.map((content, id) => ({ id, content, role: roleOf(id), time: '<time>' })),
      }),
      status: described('StatusResponseBody', { status: 'stable', agent_type: 'custom', transport }),
    },
  };
}

/** A successful answer of the wire, as {@link observeReply} shows it (AA-033). */
export function described(schema: string, body: object, extraHeaders: object = {}): object {
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      link: `</schemas/${schema}.json>; rel="describedBy"`,
      vary: 'Origin',
      ...extraHeaders,
    },
    body: { $schema: `http://127.0.0.1:<port>/schemas/${schema}.json`, ...body },
  };
}

/** An error of the wire (AA-034). */
export function problem(status: number, title: string, detail: string, errors?: readonly object[]): object {
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      link: '</schemas/ErrorModel.json>; rel="describedBy"',
      vary: 'Origin',
    },
    body: {
      $schema: 'http://127.0.0.1:<port>/schemas/ErrorModel.json',
      title,
      status,
      detail,
      ...(errors === undefined ? {} : { errors }),
    },
  };
}
