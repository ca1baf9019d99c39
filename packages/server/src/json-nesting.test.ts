import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nestingFaultOf } from './json-nesting.ts';

function nested(levels: number, inside: unknown): unknown {
  let value = inside;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { '"\\[{': value };
  return value;
}

function levelsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf));
}

describe('nestingFaultOf', () => {
  test('any value is as deep as it is, whatever its texts look like', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 90, max: 105 }), (inside, around) => {
        const fault = around + levelsOf(inside) > 100 ? 'nested more than 100 levels deep' : null;
        expect(nestingFaultOf(JSON.stringify(nested(around, inside)))).toBe(fault);
      }),
    );
  });

  test('what lies side by side does not add up', () => {
    expect(nestingFaultOf(JSON.stringify(Array.from({ length: 1_000 }, () => nested(99, '[[['))))).toBeNull();
  });
});
