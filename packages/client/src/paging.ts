import { InvalidResponseError } from './errors.ts';

/** What a page tells of the one after it. */
interface Page {
  readonly next_cursor?: string | undefined;
}

/**
 * The rows of all pages, each page read when the one before it is consumed.
 * @throws InvalidResponseError when the server would repeat itself for ever
 */
export async function* allPages<P extends Page, Row>(
  what: string,
  first: string | undefined,
  read: (cursor: string | undefined) => Promise<P>,
  rowsOf: (page: P) => readonly Row[],
): AsyncGenerator<Row, void, undefined> {
  let cursor = first;
  for (;;) {
    const page = await read(cursor);
    yield* rowsOf(page);
    const next = page.next_cursor;
    if (next === undefined) return;
    if (next === cursor) throw new InvalidResponseError(`${what}: the same page twice`);
    cursor = next;
  }
}

/** A query of the members that have a value. */
export function queryOf(members: Readonly<Record<string, string | number | undefined>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query;
}
