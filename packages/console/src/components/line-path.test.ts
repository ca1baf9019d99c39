import { expect, test } from 'vitest';
import { linePath } from './line-path.ts';

test('a line has gaps where there is no figure', () => {
  expect(linePath([0, 10, null, 5], 10)).toBe('M0.0 46.0L80.0 2.0M240.0 24.0');
  expect(linePath([], 0)).toBe('');
  expect(linePath([0], 0)).toBe('M0.0 46.0');
});
