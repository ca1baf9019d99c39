import { expect, test } from 'vitest';
import { Tail } from './tail.ts';

const MAX_BYTES = 64 * 1024;

test('a tail holds no more memory than its limit, however small its frames are and whatever else is allocated between them', () => {
  const tail = new Tail(0, MAX_BYTES);
  for (let i = 0; i < 5_000; i += 1) {
    tail.push([Buffer.from(`id: ${i}\n\n`)]);
    Buffer.from('x'.repeat(500));
  }
  const held = new Set<ArrayBufferLike>();
  for (let position = 0; position <= tail.last; position += 1) {
    const frame = tail.at(position);
    if (frame !== null) held.add(frame.buffer);
  }
  expect(held.size).toBeGreaterThan(100);
  expect([...held].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(MAX_BYTES);
});

test('the newest frames stay, at their positions', () => {
  const tail = new Tail(7, 3 * 1024);
  tail.push(['a', 'b'].map((text) => Buffer.from(text)));
  expect([tail.at(6), tail.at(7)?.toString(), tail.at(8)?.toString(), tail.at(9)]).toEqual([
    null,
    'a',
    'b',
    null,
  ]);
  for (let i = 0; i < 100; i += 1) tail.push([Buffer.from(`frame ${i}`)]);
  expect(tail.last).toBe(108);
  expect(tail.at(108)?.toString()).toBe('frame 99');
  expect(tail.at(7)).toBeNull();
});
