import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { TimeoutError } from './errors.ts';
import { readServerSentEvents, type ServerSentEvent } from './sse.ts';

afterEach(() => {
  vi.useRealTimers();
});

function bodyOf(chunks: readonly Uint8Array[], { open = false, log = { cancelled: false } } = {}) {
  let next = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = chunks[next++];
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (open) await new Promise(() => undefined);
      else controller.close();
    },
    cancel() {
      log.cancelled = true;
    },
  });
}

async function read(chunks: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  const options = { signal: new AbortController().signal, idleTimeoutMs: 10_000 };
  for await (const event of readServerSentEvents(bodyOf(chunks), options)) events.push(event);
  return events;
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

const bytes = (text: string) => new TextEncoder().encode(text);
const lineText = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
const eventArbitrary = fc.record({
  name: fc.constantFrom('message_update', 'status_change', 'agent_error', 'größer'),
  lines: fc.array(lineText, { minLength: 1, maxLength: 4 }),
});
const frameArbitrary = fc.oneof(
  { weight: 3, arbitrary: eventArbitrary },
  lineText.map((comment) => ({ comment })),
);

describe('readServerSentEvents', () => {
  test('PX-215: any cutting of the bytes gives the same events, for every line end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(frameArbitrary, { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat(5_000), { maxLength: 40 }),
        async (frames, eol, places) => {
          const wire = frames
            .map((frame) =>
              'comment' in frame
                ? `:${frame.comment}${eol}${eol}`
                : `event: ${frame.name}${eol}${frame.lines.map((line) => `data: ${line}${eol}`).join('')}${eol}`,
            )
            .join('')
            // A lone CR counts only when the next line shows that no LF belongs to it.
            .concat(`:${eol}`);
          // Lone surrogates do not survive UTF-8, so the expectation takes the same way.
          const expected = frames.flatMap((frame) =>
            'comment' in frame
              ? []
              : [
                  {
                    name: frame.name,
                    data: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes(frame.lines.join('\n'))),
                  },
                ],
          );
          const received = await read(cut(bytes(wire), places));
          expect(received).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('PX-215: arbitrary bytes never fail, and cutting them changes nothing', async () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(
          fc.constantFrom(
            'event: a',
            'data: x',
            'data',
            ':',
            '\n',
            '\r',
            '\r\n',
            '\n\n',
            ' ',
            'é',
            'id: 1',
            'retry: 5',
          ),
        )
        .map((parts) => bytes(parts.join(''))),
    );
    await fc.assert(
      fc.asyncProperty(noise, fc.array(fc.nat(300)), async (input, places) => {
        const wire = new Uint8Array([...input, ...bytes('\n:\n')]);
        expect(await read(cut(wire, places))).toEqual(await read([wire]));
      }),
      { numRuns: 300 },
    );
  });

  test('PX-215: an event of several megabytes in one line is read whole (DF-60)', async () => {
    const text = 'ä'.repeat(2_000_000);
    const wire = bytes(`event: message_update\ndata: ${text}\n\n`);
    const chunks = Array.from({ length: Math.ceil(wire.length / 65_536) }, (_, index) =>
      wire.subarray(index * 65_536, (index + 1) * 65_536),
    );
    expect(await read(chunks)).toEqual([{ name: 'message_update', data: text }]);
  });

  test('an event without its closing blank line is dropped; one without a name is a "message"', async () => {
    expect(await read([bytes('data: 1\n\nevent: x\ndata: 2\n')])).toEqual([{ name: 'message', data: '1' }]);
  });

  test('no timer is left behind', async () => {
    vi.useFakeTimers();
    await read([bytes('data: 1\n\n'), bytes('data: 2\n\n')]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('silence ends the reading with a timeout and releases the body', async () => {
    const log = { cancelled: false };
    const body = bodyOf([bytes('event: a\ndata: 1\n\n')], { open: true, log });
    const events = readServerSentEvents(body, { signal: new AbortController().signal, idleTimeoutMs: 20 });
    expect((await events.next()).value).toEqual({ name: 'a', data: '1' });
    await expect(events.next()).rejects.toBeInstanceOf(TimeoutError);
    expect(log.cancelled).toBe(true);
  });

  test('an abort ends the reading with its reason, leaving the loop releases the body', async () => {
    const stop = new AbortController();
    const waiting = readServerSentEvents(bodyOf([], { open: true }), {
      signal: stop.signal,
      idleTimeoutMs: 10_000,
    });
    const pending = waiting.next();
    stop.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');

    const log = { cancelled: false };
    const body = bodyOf([bytes('data: 1\n\ndata: 2\n\n')], { open: true, log });
    for await (const event of readServerSentEvents(body, {
      signal: new AbortController().signal,
      idleTimeoutMs: 10_000,
    })) {
      expect(event.data).toBe('1');
      break;
    }
    expect(log.cancelled).toBe(true);
  });
});
