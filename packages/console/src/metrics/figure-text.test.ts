import { expect, test } from 'vitest';
import { durationText, shortNumber, sizeText } from './figure-text.ts';

test('figures are short', () => {
  expect([0, 0.254, 3.21, 48.4, 1250].map(shortNumber)).toEqual(['0', '0.25', '3.2', '48', '1,250']);
  expect([0, 512, 3.4 * 1024 ** 2, 20 * 1024 ** 3].map(sizeText)).toEqual([
    '0 B',
    '512 B',
    '3.4 MiB',
    '20 GiB',
  ]);
  expect([0, 0.00008, 0.0034, 1.2, 75].map(durationText)).toEqual([
    '0 ms',
    '80 µs',
    '3.4 ms',
    '1.2 s',
    '75 s',
  ]);
});
