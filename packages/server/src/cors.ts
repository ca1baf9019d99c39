import type { IncomingHttpHeaders } from 'node:http';

/** How web pages of other origins may use the server (proxy-api section 4.4, DF-17). */
export interface CorsOptions {
  /** Exact origins such as `https://ui.example`; `*`, or an empty list, means every origin. */
  readonly origins: readonly string[];
  /** Lets pages send cookies and HTTP authentication; not possible together with every origin. */
  readonly credentials: boolean;
  /** Request headers that pages may send besides {@link ALLOWED_REQUEST_HEADERS}. */
  readonly requestHeaders?: readonly string[];
  /** Answer headers that pages may read besides {@link EXPOSED_HEADERS}. */
  readonly exposedHeaders?: readonly string[];
  /** How long a browser may remember a preflight answer, in seconds. */
  readonly maxAgeSeconds?: number;
}

/** Methods a preflight answer names (PX-068). */
export const ALLOWED_METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS'] as const;

/** Request headers a preflight answer names (PX-068); the reference's, and what event streams and callers need. */
export const ALLOWED_REQUEST_HEADERS = [
  'Origin',
  'Content-Type',
  'Accept',
  'Authorization',
  'X-Requested-With',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-API-Key',
  'Last-Event-ID',
  'X-Request-Id',
] as const;

/** Answer headers that pages may read. */
export const EXPOSED_HEADERS = ['X-Request-Id', 'Retry-After'] as const;

const MAX_AGE_SECONDS = 86_400;

/** Header lines, names and values in turn, for requests of one origin. All of them are made once. */
export interface CorsHeaders {
  /** For answers of the server itself, errors included. */
  readonly answer: readonly string[];
  /** For the answer to a preflight. */
  readonly preflight: readonly string[];
  /** Replace an agent's own in its answers (PX-075); without `Vary` and `Access-Control-Expose-Headers`. */
  readonly proxied: readonly string[];
}

/** Decides which origin gets which CORS headers; one instance serves both planes. */
export class Cors {
  /** Value of `Access-Control-Expose-Headers` where an agent names none itself. */
  readonly exposed: string;
  readonly #everyOrigin: boolean;
  readonly #everyOriginNamed: boolean;
  readonly #byOrigin: ReadonlyMap<string, CorsHeaders>;
  readonly #others: CorsHeaders;

  constructor(options: CorsOptions) {
    this.#everyOriginNamed = options.origins.includes('*');
    this.#everyOrigin = this.#everyOriginNamed || options.origins.length === 0;
    if (this.#everyOrigin && options.credentials) {
      throw new Error('credentials need a list of origins: browsers refuse them together with every origin');
    }
    this.exposed = unique([...EXPOSED_HEADERS, ...(options.exposedHeaders ?? [])]).join(', ');
    const rules = {
      methods: ALLOWED_METHODS.join(','),
      requestHeaders: unique([...ALLOWED_REQUEST_HEADERS, ...(options.requestHeaders ?? [])]).join(','),
      maxAge: String(options.maxAgeSeconds ?? MAX_AGE_SECONDS),
      exposed: this.exposed,
      credentials: options.credentials,
    };
    this.#others = headersFor(this.#everyOrigin ? '*' : null, rules);
    this.#byOrigin = new Map(
      this.#everyOrigin
        ? []
        : options.origins.map(canonical).map((origin) => [origin, headersFor(origin, rules)]),
    );
  }

  /** The headers for a request with this `Origin`, or without one. */
  headersFor(origin: string | undefined): CorsHeaders {
    if (origin === undefined || this.#everyOrigin) return this.#others;
    return this.#byOrigin.get(canonical(origin)) ?? this.#others;
  }

  /** Whether the operator named this origin, or `*`; an empty list names none. */
  names(origin: string): boolean {
    return this.#everyOriginNamed || this.#byOrigin.has(canonical(origin));
  }
}

/** Whether a request is a preflight: a browser's question, which never carries a key (PX-069, PX-071). */
export function isPreflight(request: {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.origin !== undefined &&
    request.headers['access-control-request-method'] !== undefined
  );
}

interface Rules {
  readonly methods: string;
  readonly requestHeaders: string;
  readonly maxAge: string;
  readonly exposed: string;
  readonly credentials: boolean;
}

function headersFor(origin: string | null, rules: Rules): CorsHeaders {
  if (origin === null) {
    return { answer: ['Vary', 'Origin'], preflight: ['Vary', PREFLIGHT_VARY], proxied: [] };
  }
  const allow = ['Access-Control-Allow-Origin', origin];
  if (rules.credentials) allow.push('Access-Control-Allow-Credentials', 'true');
  const permissions = [
    'Access-Control-Allow-Methods',
    rules.methods,
    'Access-Control-Allow-Headers',
    rules.requestHeaders,
    'Access-Control-Max-Age',
    rules.maxAge,
  ];
  return {
    answer: ['Vary', 'Origin', ...allow, 'Access-Control-Expose-Headers', rules.exposed],
    preflight: ['Vary', PREFLIGHT_VARY, ...allow, ...permissions],
    proxied: [...allow, ...permissions],
  };
}

const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

/** Browsers write scheme and host in lower case; people who configure them may not. */
function canonical(origin: string): string {
  return origin.toLowerCase();
}

function unique(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => {
    const lower = name.toLowerCase();
    if (seen.has(lower)) return false;
    seen.add(lower);
    return true;
  });
}
