import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { repaint, visibleRows } from './viewport.ts';

describe('visibleRows', () => {
  test('a screen taller than the window shows its last rows (agentapi section 1.7)', () => {
    expect(visibleRows('1\n2\n3\n4', { columns: 10, rows: 2 })).toEqual(['3', '4']);
  });

  test('a smaller screen starts at the top', () => {
    expect(visibleRows('1\n2', { columns: 10, rows: 4 })).toEqual(['1', '2', '', '']);
  });

  test('rows are cut at the right edge, a wide character as a whole', () => {
    expect(visibleRows('abcdef\n漢字漢', { columns: 5, rows: 2 })).toEqual(['abcde', '漢字']);
  });

  test('control characters of the remote side never reach the local terminal', () => {
    expect(visibleRows('a\u001b[2Jb\u009bc\r', { columns: 20, rows: 1 })).toEqual(['a [2Jb c']);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (screen) => {
        const rows = visibleRows(screen, { columns: 40, rows: 5 });
        expect(rows).toHaveLength(5);
        expect(rows.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/u);
      }),
    );
  });
});

describe('repaint', () => {
  test('only changed rows are written', () => {
    expect(repaint(['a', 'b', 'c'], ['a', 'B', 'c'])).toBe('\u001b[2;1H\u001b[2KB');
    expect(repaint(['a'], ['a'])).toBe('');
    expect(repaint(['a', 'b'], ['a', ''])).toBe('\u001b[2;1H\u001b[2K');
  });

  test('after a resize everything is', () => {
    expect(repaint(null, ['', 'x'])).toBe('\u001b[2J\u001b[2;1H\u001b[2Kx');
  });
});
