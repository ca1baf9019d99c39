import { STATUS_CODES } from 'node:http';
import type { Requirement } from '../../auth/authorize.ts';
import { useOfMethod } from '../../auth/authorize.ts';
import { ERRORS } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { SCHEMAS } from './json.ts';
import type { JsonObject } from './json.ts';

/** What decides how a request can be refused. */
export interface Refusable {
  readonly method: string;
  /** What the caller must be allowed to do; `null` for routes open to everybody. */
  readonly requires: Requirement | null;
  /** Those of this route alone. */
  readonly refusals: readonly ErrorCode[];
}

/** Refusals of the server itself, whatever was asked for. */
const EVERYWHERE: readonly ErrorCode[] = [
  'invalid_request',
  'host_not_allowed',
  'origin_not_allowed',
  'request_timeout',
  'headers_too_large',
  'internal',
  'server_starting',
  'too_many_connections',
];

const FOR_CALLERS: readonly ErrorCode[] = [
  'api_key_required',
  'invalid_api_key',
  'too_many_failures',
  'csrf',
  'store_unavailable',
  // Reading may need room as well, to sort.
  'store_full',
];

/** Everything that may keep a request from success, by code. */
export function refusalsOf({ method, requires, refusals }: Refusable): readonly ErrorCode[] {
  const codes = new Set<ErrorCode>([...EVERYWHERE, ...refusals]);
  if (requires !== null) for (const code of FOR_CALLERS) codes.add(code);
  if (requires !== null && requires !== 'authenticated') codes.add('insufficient_permissions');
  if (useOfMethod(method) === 'write') {
    codes.add('body_too_large');
    if (requires !== null) codes.add('shared_for_reading');
  }
  return [...codes].sort();
}

/** The answers of these refusals, by status. */
export function refusalAnswers(codes: readonly ErrorCode[]): Readonly<Record<string, JsonObject>> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, its]) => [String(status), refusalAnswer(status, its)]),
  );
}

function refusalAnswer(status: number, codes: readonly ErrorCode[]): JsonObject {
  const reasons = codes.map((code) => `\`${code}\``).join(', ');
  const mayComeAgain = status === 429 || status === 503 || status === 507;
  return {
    description: `${STATUS_CODES[status] ?? 'Refused'}: ${reasons}`,
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' },
      ...(mayComeAgain ? { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } : {}),
    },
    content: {
      'application/json': {
        schema: { $ref: `${SCHEMAS}Error`, properties: { code: { enum: [...codes] } } },
      },
    },
  };
}

/** The one shape of all refusals (PX-057). */
export const ERROR_SCHEMA: JsonObject = {
  type: 'object',
  description: 'Why a request was refused, or failed.',
  required: ['message', 'code', 'request_id'],
  properties: {
    message: { type: 'string', description: 'For people.' },
    code: { type: 'string', description: 'For programs; codes never change their meaning.' },
    request_id: { type: 'string', description: "Id of the request in the server's log." },
    field: { type: 'string', description: 'The member, parameter or tag that is wrong.' },
  },
  additionalProperties: { type: ['string', 'number'] },
};
