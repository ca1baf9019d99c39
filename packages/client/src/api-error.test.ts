import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apiErrorOf, isSessionUnknown, isTransient, parseRetryAfter } from './api-error.ts';

function answer(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { 'content-type': 'application/json', ...headers } });
}

describe('apiErrorOf', () => {
  test('PX-216: the error body of the proxy becomes status, code, request id, message and wait', async () => {
    const error = await apiErrorOf(
      answer(429, '{"message":"Too many sessions","code":"too_many_sessions","request_id":"r1","limit":5}', {
        'retry-after': '7',
      }),
    );
    expect(error).toMatchObject({
      name: 'ApiError',
      kind: 'rate_limited',
      status: 429,
      code: 'too_many_sessions',
      requestId: 'r1',
      message: 'Too many sessions',
      retryAfterMs: 7000,
      body: { limit: 5 },
    });
  });

  test('PX-216: a problem document of an agent server gives its detail and reasons; "busy" has its own kind', async () => {
    const reason =
      'failed to send message: message can only be sent when the agent is waiting for user input';
    const problem = {
      title: 'Internal Server Error',
      status: 500,
      detail: 'unexpected error occurred',
      errors: [{ message: reason }],
    };
    const error = await apiErrorOf(
      answer(500, JSON.stringify(problem), {
        'content-type': 'application/problem+json',
        'x-request-id': 'r2',
      }),
    );
    expect(error.kind).toBe('agent_busy');
    expect(error.message).toBe(`unexpected error occurred: ${reason}`);
    expect(error.requestId).toBe('r2');
  });

  test('a short plain text is the message, a page of HTML is not', async () => {
    const plain = await apiErrorOf(
      answer(502, 'Bad Gateway\n', { 'content-type': 'text/plain; charset=utf-8' }),
    );
    expect([plain.kind, plain.message, plain.body]).toEqual(['unavailable', 'Bad Gateway', 'Bad Gateway\n']);
    const page = await apiErrorOf(answer(500, '<html>oops</html>', { 'content-type': 'text/html' }));
    expect([page.kind, page.message]).toEqual(['server_error', 'HTTP 500']);
  });

  test('every status has a kind', async () => {
    const kinds = new Map<number, string>([
      [400, 'invalid_request'],
      [401, 'unauthorized'],
      [403, 'forbidden'],
      [404, 'not_found'],
      [409, 'conflict'],
      [413, 'invalid_request'],
      [422, 'invalid_request'],
      [429, 'rate_limited'],
      [500, 'server_error'],
      [502, 'unavailable'],
      [503, 'unavailable'],
      [504, 'unavailable'],
    ]);
    for (const [status, kind] of kinds) expect((await apiErrorOf(answer(status, '{}'))).kind).toBe(kind);
  });

  test('any body gives an error with a text, never another failure', async () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.anything().map((value) => JSON.stringify(value) ?? ''),
    );
    const types = fc.constantFrom('application/json', 'application/problem+json', 'text/plain', 'text/html');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 400, max: 599 }), bodies, types, async (status, body, type) => {
        const error = await apiErrorOf(answer(status, body, { 'content-type': type }));
        expect(error.status).toBe(status);
        expect(error.message).not.toBe('');
      }),
    );
  });
});

test('an unknown session is told apart from an unknown route, with and without an error code', async () => {
  const coded = await apiErrorOf(answer(404, '{"message":"gone","code":"session_not_found"}'));
  const uncoded = await apiErrorOf(answer(404, '{"message":"Session not found"}'));
  const route = await apiErrorOf(answer(404, '404 page not found\n', { 'content-type': 'text/plain' }));
  expect([coded, uncoded, route].map(isSessionUnknown)).toEqual([true, true, false]);
  expect(isTransient(route)).toBe(false);
});

test('Retry-After is read as seconds or as a date; nonsense is ignored', () => {
  expect(parseRetryAfter('3')).toBe(3000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:10 GMT', Date.UTC(2026, 0, 1))).toBe(10_000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:00 GMT', Date.UTC(2026, 0, 2))).toBe(0);
  expect(parseRetryAfter('soon')).toBeUndefined();
  expect(parseRetryAfter(null)).toBeUndefined();
});
