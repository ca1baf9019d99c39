import type { ComponentChildren } from 'preact';

/** A column of a {@link Table}. */
export interface Column<Row> {
  readonly key: string;
  readonly header: ComponentChildren;
  readonly render: (row: Row) => ComponentChildren;
  readonly align?: 'end';
  /** Left out on telephones. */
  readonly wideOnly?: boolean;
}

interface TableProps<Row> {
  /** What the table shows; for those who cannot see it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
}

/** A table that scrolls in itself where the screen is too narrow. */
export function Table<Row>({ caption, columns, rows, rowKey }: TableProps<Row>) {
  const look = ({ align, wideOnly }: Column<Row>) => ({
    ...(align === undefined ? {} : { 'data-align': align }),
    ...(wideOnly === true ? { 'data-wide-only': true } : {}),
  });
  return (
    <div class="table-frame" role="region" aria-label={caption} tabIndex={0}>
      <table class="table">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" {...look(column)}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.key} {...look(column)}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
