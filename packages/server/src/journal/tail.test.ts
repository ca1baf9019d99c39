import { expect, test } from 'vitest';
import { Tail } from './tail.ts';

const MAX_BYTES = 64 * 1024;

test('however small its frames are, a tail keeps no more of them than its limit has room for with what each costs', () => {
  const tail = new Tail(0, MAX_BYTES);
  for (let i = 0; i < 5_000; i += 1) tail.push([Buffer.from(`id: ${i}\n\n`)]);
  const kept = Array.from({ length: 5_000 }, (_, position) => tail.after(position - 1)).filter(
    (piece) => piece !== null,
  );
  expect(kept.length).toBeGreaterThan(100);
  expect(kept.length * 256).toBeLessThanOrEqual(MAX_BYTES);
});

test('the newest frames stay, at their positions', () => {
  const tail = new Tail(7, 3 * 1024);
  tail.push(['a', 'b'].map((text) => Buffer.from(text)));
  expect([tail.after(5), tail.after(6), tail.after(7), tail.after(8)]).toEqual([
    null,
    expect.objectContaining({ last: 8, bytes: Buffer.from('ab') }),
    expect.objectContaining({ last: 8, bytes: Buffer.from('b') }),
    null,
  ]);
  for (let i = 0; i < 100; i += 1) tail.push([Buffer.from(`frame ${i}`)]);
  expect(tail.last).toBe(108);
  expect(tail.after(107)?.bytes.toString()).toBe('frame 99');
  expect(tail.after(6)).toBeNull();
});
