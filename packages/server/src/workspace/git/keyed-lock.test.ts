import { expect, test } from 'vitest';
import { KeyedLock } from './keyed-lock.ts';

const never = new AbortController().signal;

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('one at a time has a key, in the order in which they came; other keys are free', async () => {
  const lock = new KeyedLock();
  const { opened, open } = gate();
  const order: string[] = [];
  const first = lock.hold('a', never, async () => {
    order.push('first begins');
    await opened;
    order.push('first ends');
  });
  const second = lock.hold('a', never, async () => void order.push('second'));
  await lock.hold('b', never, async () => void order.push('other key'));
  expect(lock.isHeld('a')).toBe(true);
  open();
  await Promise.all([first, second]);
  expect(order).toEqual(['first begins', 'other key', 'first ends', 'second']);
  await Promise.resolve();
  expect(lock.isHeld('a')).toBe(false);
});

test('whoever gives up waiting lets nobody pass before their turn', async () => {
  const lock = new KeyedLock();
  const { opened, open } = gate();
  const order: string[] = [];
  const first = lock.hold('a', never, async () => {
    await opened;
    order.push('first');
  });
  const impatient = new AbortController();
  const second = lock.hold('a', impatient.signal, async () => void order.push('second'));
  const third = lock.hold('a', never, async () => void order.push('third'));
  impatient.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  open();
  await Promise.all([first, third]);
  expect(order).toEqual(['first', 'third']);
});

test('a failure frees the key', async () => {
  const lock = new KeyedLock();
  await expect(lock.hold('a', never, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(lock.hold('a', never, async () => Promise.resolve(1))).resolves.toBe(1);
});
