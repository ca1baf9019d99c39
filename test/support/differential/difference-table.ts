import type { DeliberateDifference } from './comparison.ts';

/** The table of the differences as it stands in the documentation. */
export function differenceTable(list: readonly DeliberateDifference[]): string {
  const rows = list.map(({ id, row, field, reference, ours, why }) =>
    [`\`${id}\``, row, `\`${field}\``, reference, ours, why]
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | '),
  );
  const head = ['id', 'row', 'field', 'the reference', 'here', 'why'];
  return [head.join(' | '), head.map(() => '---').join(' | '), ...rows].map((row) => `| ${row} |`).join('\n');
}
