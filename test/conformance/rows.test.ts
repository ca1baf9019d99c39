import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Number of rows of the two written-down behaviours; docs/compatibility.md explains them. */
const LAST_ROW = { PX: 235, AA: 173 } as const;

/** Every row named in a text; `PX-001 – PX-003`, `PX-001..PX-003` and `PX-001…003` are ranges. */
function rowsIn(text: string): Set<string> {
  const rows = new Set<string>();
  for (const match of text.matchAll(/\b(PX|AA)-(\d{3})(?:\s?(?:–|…|\.\.)\s?(?:\1-)?(\d{3}))?/g)) {
    const [, kind = '', first = '', last = first] = match;
    for (let row = Number(first); row <= Number(last); row += 1) {
      rows.add(`${kind}-${String(row).padStart(3, '0')}`);
    }
  }
  return rows;
}

function testFiles(): readonly string[] {
  return ['packages', 'test'].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts') && !/(^|\/)(node_modules|dist)\//.test(path))
      .filter((path) => !path.endsWith('conformance/rows.test.ts'))
      .map((path) => `${ROOT}${folder}/${path}`),
  );
}

describe('the rows of behaviour', () => {
  const cited = new Set(testFiles().flatMap((file) => [...rowsIn(readFileSync(file, 'utf8'))]));
  const page = readFileSync(`${ROOT}docs/compatibility.md`, 'utf8');
  const listed = rowsIn(page.slice(page.indexOf('## Rows that no test names yet')));

  test.each(['PX', 'AA'] as const)('every %s row is named by a test or listed with a reason', (kind) => {
    const all = Array.from(
      { length: LAST_ROW[kind] },
      (_, index) => `${kind}-${String(index + 1).padStart(3, '0')}`,
    );
    expect(all.filter((row) => !cited.has(row) && !listed.has(row))).toEqual([]);
  });

  test('no row is listed as open that a test names', () => {
    expect([...listed].filter((row) => cited.has(row))).toEqual([]);
  });
});
