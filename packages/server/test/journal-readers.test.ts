import pino from 'pino';
import { expect, test } from 'vitest';
import { Journal } from '../src/journal/journal.ts';
import type { JournalWrite } from '../src/store/journal.ts';
import { openMemory } from '../src/store/sqlite.ts';
import { newSession } from './store/stores.ts';

/** The event at a position, as it is written. */
function eventAt(sessionId: string, position: number): JournalWrite {
  const at = new Date();
  return {
    sessionId,
    head: { lastPosition: position, segment: 1, states: position, status: null, errors: [] },
    batch: {
      firstPosition: position,
      lastPosition: position,
      segment: 1,
      at,
      events: [{ k: 't', state: 'running', at: at.toISOString() }],
    },
    messages: [],
  };
}

// A reader that found nothing took what was written before its next question for something that is not kept any more.
test.each([1, 2, 3])(
  'an event that is written after question %i of a reader to the store is never taken for a pruned one',
  async (question) => {
    let asked = 0;
    let writing: Promise<unknown> = Promise.resolve();
    let onAsked = (): void => undefined;
    await using store = await openMemory((operation) => {
      if (operation === 'select') onAsked();
    });
    await using journal = new Journal({
      store,
      maxBytes: 1e6,
      maxAgeMs: Infinity,
      log: pino({ level: 'silent' }),
    });
    const session = newSession();
    const { id } = session.facts;
    await store.sessions.insert(session);
    await store.journal.append([eventAt(id, 1)]);
    onAsked = () => {
      asked += 1;
      // It takes the connection before the reader asks again.
      if (asked === question) writing = store.journal.append([eventAt(id, 2)]);
    };
    const frames: string[] = [];
    for await (const frame of journal.follow(id, 1, new AbortController().signal))
      frames.push(frame.toString());
    await writing;
    const seen = frames.join('');
    expect(seen).not.toContain('journal_gap');
    // One that comes after the last question is for the next reader.
    if (seen !== '') expect(seen).toMatch(/^id: 2\nevent: state_change\n/);
  },
);
