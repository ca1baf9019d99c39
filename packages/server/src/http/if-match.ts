import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../errors.ts';

/** No record has this version, so nothing matches it. */
const NEVER = -1;

/** The entity tag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * The version that a request insists on; `undefined` when it insists on none. What is no tag of ours, weak ones
 * included, matches no version (RFC 9110 section 13.1.1).
 * @throws AppError `invalid_request` for a list of tags: a record has one version.
 */
export function ifMatchOf(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['if-match']?.trim();
  if (value === undefined || value === '*') return undefined;
  if (value.includes(',')) {
    throw new AppError('invalid_request', { message: 'If-Match must be one ETag, or *' });
  }
  const version = /^"(\d{1,15})"$/.exec(value)?.[1];
  return version === undefined ? NEVER : Number(version);
}
