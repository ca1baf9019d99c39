import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConversationEvent } from '../agents/conversation-events.ts';
import { decodeEvent, encodeEvent } from './event-codec.ts';
import type { JournalEvent } from './journal-event.ts';
import { Recorder } from './recorder.ts';

const NOTHING = { head: null, messages: [], unsaved: [], lastStatus: null };
const KEPT = { maxAgeMs: Number.POSITIVE_INFINITY };

function message(id: number, text: string): ConversationEvent {
  return { kind: 'message', message: { id, role: 'agent', message: text, time: `t${text.length}` } };
}

function drafted(recorder: Recorder): readonly JournalEvent[] {
  return recorder.draft(new Date(), false)?.events.map(({ event }) => event) ?? [];
}

describe('the events of a session', () => {
  test('come out as they went in, whatever the texts are', () => {
    const event = fc.record({
      kind: fc.constant('message' as const),
      isNew: fc.boolean(),
      message: fc.record({
        id: fc.integer({ min: 0, max: 3 }),
        role: fc.constantFrom('agent', 'user'),
        content: fc.oneof(
          fc.string(),
          fc.string({ unit: 'grapheme' }),
          fc.constantFrom('a😀', 'a😁', 'a😀b'),
        ),
        time: fc.string(),
      }),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const written = new Map<number, string>();
        const read = new Map<number, string>();
        for (const one of events) {
          const kept: unknown = JSON.parse(JSON.stringify(encodeEvent(one, written)));
          expect(decodeEvent(kept, read)).toEqual(one);
        }
      }),
    );
  });

  test('take the place of their text, not many times of it', () => {
    const recorder = new Recorder('s', NOTHING, KEPT);
    let text = '';
    let kept = 0;
    for (let line = 0; line < 1_000; line += 1) {
      text += `line ${line} of a long answer\n`;
      recorder.take(message(1, text));
      kept += JSON.stringify(recorder.draft(new Date(), false)?.write.batch?.events).length;
    }
    expect(kept).toBeLessThan(8 * text.length);
  });
});

describe('a repeated conversation', () => {
  test('brings nothing twice', () => {
    const recorder = new Recorder('s', NOTHING, KEPT);
    const story: ConversationEvent[] = [
      message(0, 'hello'),
      { kind: 'status', status: 'stable' },
      { kind: 'error', error: { message: 'm', level: 'error', time: 't' } },
      { kind: 'error', error: { message: 'm', level: 'error', time: 't' } },
    ];
    recorder.connected();
    expect(story.map((event) => recorder.take(event))).toEqual([true, true, true, true]);
    recorder.connected();
    expect(story.map((event) => recorder.take(event))).toEqual([false, false, false, false]);
    expect(drafted(recorder)).toHaveLength(4);
  });

  test('brings what was missed, and that it is complete', () => {
    const recorder = new Recorder('s', NOTHING, KEPT);
    recorder.connected();
    for (const event of [message(0, 'a'), { kind: 'status', status: 'stable' } as const])
      recorder.take(event);
    drafted(recorder);
    recorder.connected();
    for (const event of [message(0, 'ab'), message(1, 'c'), { kind: 'status', status: 'stable' } as const]) {
      recorder.take(event);
    }
    expect(drafted(recorder)).toMatchObject([
      { kind: 'message', message: { id: 0, content: 'ab' }, isNew: false },
      { kind: 'message', message: { id: 1, content: 'c' }, isNew: true },
      { kind: 'status', status: 'stable' },
    ]);
  });

  test('is known again by a recorder that begins with what was written', () => {
    const first = new Recorder('s', NOTHING, KEPT);
    first.connected();
    const story: ConversationEvent[] = [
      message(0, 'hello'),
      { kind: 'error', error: { message: 'm', level: 'error', time: 't' } },
      { kind: 'status', status: 'stable' },
    ];
    for (const event of story) first.take(event);
    const written = first.draft(new Date(), true)?.write;
    const past = {
      head: written?.head ?? null,
      messages: written?.messages ?? [],
      unsaved: [],
      lastStatus: { kind: 'status', status: 'stable' } as const,
    };
    const second = new Recorder('s', past, KEPT);
    second.connected();
    expect(story.map((event) => second.take(event))).toEqual([false, false, false]);
    expect(second.lastPosition).toBe(3);
  });
});

test('that the agent asks something, and that it does not any more, is news of its own', () => {
  const recorder = new Recorder('s', NOTHING, KEPT);
  const story: ConversationEvent[] = [
    { kind: 'status', status: 'running' },
    { kind: 'status', status: 'running', waitingFor: 'permission' },
    { kind: 'status', status: 'running' },
  ];
  recorder.connected();
  expect(story.map((event) => recorder.take(event))).toEqual([true, true, true]);
  const events = drafted(recorder);
  expect(events).toEqual(story);
  const texts = new Map<number, string>();
  expect(events.map((event) => decodeEvent(encodeEvent(event, texts), texts))).toEqual(story);
});

test('of a message that grows faster than it is written, only the last form is kept', () => {
  const recorder = new Recorder('s', NOTHING, KEPT);
  for (const text of ['a', 'ab', 'abc']) recorder.take(message(0, text));
  recorder.take({ kind: 'status', status: 'stable' });
  expect(drafted(recorder)).toMatchObject([
    { kind: 'message', message: { content: 'abc' }, isNew: true },
    { kind: 'status' },
  ]);
});

test('no segment takes longer than events are kept: what refers to its beginning is there as long as that', () => {
  const recorder = new Recorder('s', NOTHING, { maxAgeMs: 1_000 });
  const segments = [0, 500, 999, 1_000, 1_500, 2_000].map((at) => {
    recorder.take(message(0, 'x'.repeat(at + 1)));
    return recorder.draft(new Date(at), false)?.write.batch?.segment;
  });
  expect(segments).toEqual([1, 1, 1, 4, 4, 6]);
});

test('segments of many messages end, too: what is kept of a session can be bounded', () => {
  const recorder = new Recorder('s', NOTHING, KEPT);
  const segments = new Set<number | undefined>();
  for (let id = 0; id < 100; id += 1) {
    recorder.take(message(id, 'x'.repeat(10_000)));
    segments.add(recorder.draft(new Date(), false)?.write.batch?.segment);
  }
  expect(segments.size).toBeGreaterThan(10);
});

test('two large messages that change in turns are not repeated again and again', () => {
  const recorder = new Recorder('s', NOTHING, KEPT);
  const large = 'x'.repeat(50_000);
  let kept = 0;
  for (let change = 0; change < 300; change += 1) {
    recorder.take(message(change % 2, `${large}${'y'.repeat(change)}`));
    kept += JSON.stringify(recorder.draft(new Date(), false)?.write.batch?.events).length;
  }
  expect(kept).toBeLessThan(8 * large.length);
});
