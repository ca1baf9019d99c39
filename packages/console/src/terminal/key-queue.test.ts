import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyQueue } from './key-queue.ts';

/** A server that takes keys when it is told to. */
function slowServer() {
  const sent: string[] = [];
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  return {
    sent,
    waiting,
    send: async (keys: string): Promise<void> => {
      sent.push(keys);
      await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

describe('KeyQueue', () => {
  test('one request at a time; what is pressed meanwhile goes in the next', async () => {
    const server = slowServer();
    const queue = new KeyQueue(server.send, () => undefined);
    for (const key of 'abc') queue.push(key);
    expect(server.sent).toEqual(['a']);
    server.waiting.shift()?.resolve();
    await settle();
    expect(server.sent).toEqual(['a', 'bc']);
    server.waiting.shift()?.resolve();
    await settle();
    queue.push('d');
    expect(server.sent).toEqual(['a', 'bc', 'd']);
  });

  test('after a failure what waits is dropped, and later keys are sent', async () => {
    const server = slowServer();
    const errors: unknown[] = [];
    const queue = new KeyQueue(server.send, (error) => errors.push(error));
    queue.push('a');
    queue.push('b');
    server.waiting.shift()?.reject(new Error('away'));
    await settle();
    expect(errors).toEqual([new Error('away')]);
    queue.push('c');
    expect(server.sent).toEqual(['a', 'c']);
  });

  test('a closed one sends and tells nothing', async () => {
    const server = slowServer();
    const errors: unknown[] = [];
    const queue = new KeyQueue(server.send, (error) => errors.push(error));
    queue.push('a');
    queue.push('b');
    queue.close();
    queue.push('c');
    server.waiting.shift()?.reject(new Error('away'));
    await settle();
    expect(server.sent).toEqual(['a']);
    expect(errors).toEqual([]);
  });

  test('however much is pasted, all of it arrives in order, and no character is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(40_000), fc.boolean(), async (length, isOdd) => {
        const text = `${isOdd ? 'x' : ''}${'😀'.repeat(length)}`;
        const sent: string[] = [];
        const queue = new KeyQueue(
          async (keys) => {
            sent.push(keys);
          },
          () => undefined,
        );
        queue.push(text);
        await settle();
        await settle();
        expect(sent.join('')).toBe(text);
        for (const keys of sent) expect(keys).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
      }),
      { numRuns: 30 },
    );
  });
});
