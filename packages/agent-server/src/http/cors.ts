import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkListEntries } from './list-entry.ts';

/** Cross-origin rules (agentapi section 2.3). */
export interface Cors {
  /**
   * Sets the headers of one response.
   * @returns whether the request was a preflight, which has then been answered.
   */
  apply(request: IncomingMessage, response: ServerResponse): boolean;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'authorization',
  'content-type',
  'x-csrf-token',
  'origin',
]);
const MAX_AGE_SECONDS = 300;

/**
 * Builds the rules from a list of origins; `*` allows all, one `*` inside an origin is a wildcard (AA-031).
 * @throws {Error} for an invalid entry.
 */
export function createCors(entries: readonly string[]): Cors {
  const anyOrigin = entries.includes('*');
  const patterns = anyOrigin ? [] : parseOrigins(entries);
  const allowOrigin = (origin: string): string | null => {
    if (origin === '') return null;
    if (anyOrigin) return '*';
    const lower = origin.toLowerCase();
    return patterns.some((pattern) => matches(pattern, lower)) ? origin : null;
  };
  return {
    apply(request, response) {
      const origin = request.headers.origin ?? '';
      const wantedMethod = header(request, 'access-control-request-method');
      if (request.method !== 'OPTIONS' || wantedMethod === '') {
        response.setHeader('Vary', 'Origin');
        const allowed = METHODS.has(request.method ?? '') ? allowOrigin(origin) : null;
        if (allowed !== null) {
          response.setHeader('Access-Control-Allow-Origin', allowed);
          response.setHeader('Access-Control-Allow-Credentials', 'true');
          response.setHeader('Access-Control-Expose-Headers', 'Link');
        }
        return false;
      }
      response.setHeader('Vary', [
        'Origin',
        'Access-Control-Request-Method',
        'Access-Control-Request-Headers',
      ]);
      const wantedHeaders = header(request, 'access-control-request-headers')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
      const allowed = allowOrigin(origin);
      const method = wantedMethod.toUpperCase();
      if (
        allowed !== null &&
        METHODS.has(method) &&
        wantedHeaders.every((name) => REQUEST_HEADERS.has(name.toLowerCase()))
      ) {
        response.setHeader('Access-Control-Allow-Origin', allowed);
        response.setHeader('Access-Control-Allow-Methods', method);
        if (wantedHeaders.length > 0) {
          response.setHeader('Access-Control-Allow-Headers', wantedHeaders.join(', '));
        }
        response.setHeader('Access-Control-Allow-Credentials', 'true');
        response.setHeader('Access-Control-Max-Age', String(MAX_AGE_SECONDS));
      }
      response.writeHead(200, { 'Content-Length': 0 }).end();
      return true;
    },
  };
}

/** An allowed origin in lower case; `tail` is what follows its wildcard. */
interface OriginPattern {
  readonly head: string;
  readonly tail: string | null;
}

function parseOrigins(entries: readonly string[]): readonly OriginPattern[] {
  checkListEntries(entries);
  return entries.map((entry) => {
    // Everything after the authority is dropped, and the user name before it.
    const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@]*@)?([^/?#@]+)/iu.exec(entry) ?? [];
    if (scheme === undefined || authority === undefined) {
      throw new Error(`'${entry}' is not a valid origin: expected e.g. https://example.com:8443`);
    }
    const origin = `${scheme}://${authority}`.toLowerCase();
    const star = origin.indexOf('*');
    return star === -1
      ? { head: origin, tail: null }
      : { head: origin.slice(0, star), tail: origin.slice(star + 1) };
  });
}

function matches({ head, tail }: OriginPattern, origin: string): boolean {
  if (tail === null) return origin === head;
  return origin.length >= head.length + tail.length && origin.startsWith(head) && origin.endsWith(tail);
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : (value?.join(', ') ?? '');
}
