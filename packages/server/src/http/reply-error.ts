import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import { sendError } from '../error-reply.ts';
import { AppError, errorBody, ERRORS } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { StoreError } from '../store/store-error.ts';
import type { StoreErrorKind } from '../store/store-error.ts';

/** Fastify's own refusals that have a code of ours. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'not_found',
};

/** Failures of the store that the next request may not meet; the others need somebody who looks after them. */
const PASSING: Partial<Record<StoreErrorKind, ErrorCode>> = {
  unavailable: 'store_unavailable',
  busy: 'store_unavailable',
  read_only: 'store_unavailable',
  full: 'store_full',
};

/** After this many seconds a client may try again what the store did not take. */
const STORE_RETRY_SECONDS = 5;

/** Turns whatever a route threw into an `AppError`; unknown failures become `internal` (DF-53). */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    const path =
      first?.instancePath
        .split('/')
        .filter((part) => part !== '')
        .join('.') ?? '';
    const what = first?.message ?? 'does not have the expected form';
    return new AppError(error.validationContext === 'querystring' ? 'invalid_query' : 'invalid_request', {
      message: path === '' ? `${ERRORS.invalid_request.message}: ${what}` : `${path}: ${what}`,
      details: path === '' ? {} : { field: path },
    });
  }
  const passing = error instanceof StoreError ? PASSING[error.kind] : undefined;
  if (passing !== undefined) {
    return new AppError(passing, { cause: error, retryAfterSeconds: STORE_RETRY_SECONDS });
  }
  if (isFastifyError(error)) {
    const code = FASTIFY_CODES[error.code];
    if (code !== undefined) return new AppError(code, { cause: error });
  }
  return new AppError('internal', { cause: error });
}

/** Answers with the one JSON error shape; what is not the caller's fault is logged with its cause. */
export function replyError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const appError = toAppError(error);
  const { status } = ERRORS[appError.code];
  if (status >= 500 && appError.cause !== undefined) {
    const fault = isResponseSerializationError(error) ? error.cause : error;
    request.log.error({ err: fault }, 'request failed');
  }
  if (appError.code === 'body_too_large') {
    // Fastify would close the connection with the rest of the body unread, and the client lose the answer.
    reply.hijack();
    sendError(request.raw, reply.raw, appError, request.id, []);
    return reply;
  }
  if (appError.retryAfterSeconds !== undefined) reply.header('retry-after', appError.retryAfterSeconds);
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(JSON.stringify(errorBody(appError, request.id)));
}

function isFastifyError(error: unknown): error is FastifyError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('FST_')
  );
}
