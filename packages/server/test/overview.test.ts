import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Journal } from '../src/journal/journal.ts';
import { Overview } from '../src/journal/overview.ts';
import { Session } from '../src/sessions/session.ts';
import { openMemory } from '../src/store/sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { newSession } from './store/stores.ts';

/** More than may wait for a viewer. */
const MANY = 1_100;

const frameData = z.looseObject({ session_id: z.string().optional() });

/** An agent server that tells whatever it is asked to. */
class Teller implements AsyncDisposable {
  #told = 0;
  readonly #streams = new Set<ServerResponse>();
  readonly #server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    this.#streams.add(response);
  });
  /** Resolves when somebody listens. */
  readonly heard = once(this.#server, 'request');

  async listen(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return addressOf(this.#server.address()).port;
  }

  /** Tells new messages. */
  tell(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const data = { id: this.#told, role: 'agent', message: 'm', time: new Date().toISOString() };
      this.#told += 1;
      for (const stream of this.#streams)
        stream.write(`event: message_update\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address;
}

/** Name of a frame, and the session that it is about. */
function read(frame: Buffer): readonly [name: string, sessionId: string | undefined] {
  const [event = '', data = ''] = frame.toString().split('\n');
  return [event.replace('event: ', ''), frameData.parse(JSON.parse(data.replace('data: ', ''))).session_id];
}

describe('GET /events', () => {
  let store: Store;
  let journal: Journal;
  let overview: Overview;
  const stop = new AbortController();

  beforeEach(async () => {
    store = await openMemory();
    journal = new Journal({ store, maxBytes: 1e9, maxAgeMs: Infinity, log: pino({ level: 'silent' }) });
    overview = new Overview(journal);
  });
  afterEach(async () => {
    await journal[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  async function begin(): Promise<Session> {
    const { facts, port } = newSession();
    await store.sessions.insert(newSession({ facts }));
    const session = new Session(facts, port);
    journal.onLife(session);
    return session;
  }

  /** Waits until so much has happened in a session. */
  async function untilWritten({ id }: Session, events: number): Promise<void> {
    await expect.poll(() => journal.life(id)?.tail?.last).toBe(events);
  }

  test('after `resync` every session is told before what happens in it, also where more happens meanwhile', async () => {
    await using teller = new Teller();
    const [quiet, busy] = [await begin(), await begin()];
    busy.endpoint = { port: await teller.listen(), token: null };
    const viewer = overview.watch(() => true, stop.signal);
    const next = async () => read((await viewer.next()).value ?? Buffer.of());
    expect([await next(), await next()]).toEqual([
      ['session', quiet.id],
      ['session', busy.id],
    ]);
    busy.transition('starting');
    busy.transition('running');
    await teller.heard;
    teller.tell(MANY);
    await untilWritten(busy, 3 + MANY);
    expect(await next()).toEqual(['resync', undefined]);
    teller.tell(1);
    await untilWritten(busy, 3 + MANY + 1);
    expect([await next(), await next(), await next()]).toEqual([
      ['session', quiet.id],
      ['session', busy.id],
      ['message_created', busy.id],
    ]);
    await viewer.return();
  });

  test('any number of sessions is told once, and then what happens', async () => {
    const sessions: Session[] = [];
    for (let count = 0; count < MANY; count += 1) sessions.push(await begin());
    const told = new Set(sessions.map(({ id }) => id));
    const viewer = overview.watch(() => true, stop.signal);
    for (let count = 0; count < MANY; count += 1) {
      const [name, id = ''] = read((await viewer.next()).value ?? Buffer.of());
      expect([name, told.delete(id)]).toEqual(['session', true]);
    }
    const [name] = read((await viewer.next()).value ?? Buffer.of());
    expect(name).toBe('session_state');
    await viewer.return();
  });
});
