import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Listener } from './listener.ts';

/** For whom a call is made. */
export interface OnBehalfOf {
  /** Address of the client: for limits and the audit log. */
  readonly address: string;
  /** Ties what is asked to the request that made us ask. */
  readonly requestId: string;
}

/** The part of `fetch` that the client package needs. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** Answers with these have no body, and `Response` takes none for them. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` whose requests all go to this server, without a network: authentication, permissions, ownership, limits and
 * the audit log apply as they do to everybody. Only the path of a URL counts.
 */
export function inProcessFetch(listener: Pick<Listener, 'connect'>, caller: OnBehalfOf): FetchFunction {
  return (url, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const { pathname, search } = new URL(url);
      const request = httpRequest(
        {
          createConnection: () => listener.connect(caller.address),
          method,
          path: `${pathname}${search}`,
          headers: {
            ...Object.fromEntries(new Headers(headers)),
            host: 'localhost',
            connection: 'close',
            'x-request-id': caller.requestId,
          },
          ...(signal === null || signal === undefined ? {} : { signal }),
        },
        (answer) => resolve(responseOf(answer)),
      );
      request.on('error', reject);
      if (body === null || body === undefined) request.end();
      else if (typeof body === 'string') request.end(body);
      else request.destroy(new TypeError('only text can be sent within the process'));
    });
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode: status = 500, headersDistinct } = answer;
  const headers = new Headers();
  for (const [name, values] of Object.entries(headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  if (!WITHOUT_BODY.has(status)) return new Response(Readable.toWeb(answer), { status, headers });
  answer.resume();
  return new Response(null, { status, headers });
}
