import type { IncomingHttpHeaders } from 'node:http';

/** Lower-case name of the header that pages of other origins cannot send without being asked about first. */
export const CONSOLE_HEADER = 'x-console';

/**
 * What a request shows of the page that it comes from, as far as browsers cannot be made to lie.
 *
 * - `own`: one of ours has sent it
 * - `unknown`: nothing speaks for or against it, as with an event stream
 * - `foreign`: a page of another origin has sent it
 * - `navigation`: somebody follows a link, or a page loads another one
 */
export type RequestSource = 'own' | 'unknown' | 'foreign' | 'navigation';

/** Where a request comes from that may have brought a cookie without anybody's wish. */
export function sourceOf(headers: IncomingHttpHeaders): RequestSource {
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'foreign';
  // Behind a proxy that changes `Host`, only the browser knows; where it says nothing, the names must be equal.
  if (origin !== undefined && site !== 'same-origin' && !isOwnOrigin(origin, headers)) return 'foreign';
  if (headers['sec-fetch-mode'] === 'navigate') return 'navigation';
  // No page can add a header to the request for a WebSocket, and no browser leaves out its origin.
  if (/^websocket$/i.test(headers.upgrade ?? '')) return origin === undefined ? 'unknown' : 'own';
  return headers[CONSOLE_HEADER] === '1' ? 'own' : 'unknown';
}

/** Pages of others cannot set `X-Forwarded-Host` either, so it does not matter who says it. */
function isOwnOrigin(origin: string, headers: IncomingHttpHeaders): boolean {
  const authority = /^https?:\/\/([^/?#]+)$/i.exec(origin)?.[1]?.toLowerCase();
  if (authority === undefined) return false;
  const forwarded = [headers['x-forwarded-host'] ?? []].flat().join(',').split(',');
  return [headers.host ?? '', ...forwarded].some((name) => plain(name) === plain(authority));
}

/** Without a port that goes without saying; which of the two it is does not matter for one name. */
function plain(authority: string): string {
  return authority
    .trim()
    .toLowerCase()
    .replace(/:(?:80|443)$/, '');
}
