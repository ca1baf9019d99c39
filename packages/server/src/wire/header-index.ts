import type { IncomingHttpHeaders } from 'node:http';

/** Header lines by name, and how often those came that must not come twice. */
export interface HeaderIndex {
  readonly headers: IncomingHttpHeaders;
  readonly hosts: number;
  readonly lengths: number;
  readonly codings: number;
}

/** Of these the first line counts, as with `node:http`. */
const SINGLE: ReadonlySet<string> = new Set([
  ...['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host'],
  ...['if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards'],
  ...['proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent'],
]);

/** Makes the index of header lines, names and values in turn. */
export function headersOf(raw: readonly string[]): HeaderIndex {
  // Without prototype: a name such as `__proto__` or `constructor` is a name like any other.
  const headers: NodeJS.Dict<string | string[]> & IncomingHttpHeaders = Object.create(null);
  let hosts = 0;
  let lengths = 0;
  let codings = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    if (name === 'host') hosts += 1;
    else if (name === 'content-length') lengths += 1;
    else if (name === 'transfer-encoding') codings += 1;
    const before = headers[name];
    if (name === 'set-cookie') {
      headers['set-cookie'] = [...(headers['set-cookie'] ?? []), value];
    } else if (before === undefined) {
      headers[name] = value;
    } else if (!SINGLE.has(name)) {
      headers[name] = `${String(before)}${name === 'cookie' ? '; ' : ', '}${value}`;
    }
  }
  return { headers, hosts, lengths, codings };
}
