import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Problem } from './problem.ts';
import { parseMessageRequest, type MessageRequest } from './request-body.ts';

function outcome(body: Buffer, contentType?: string): MessageRequest | number {
  try {
    return parseMessageRequest(body, contentType);
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
}

test('AA-046 AA-047: any bytes are a message or one of 400, 415 and 422', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.option(fc.string(), { nil: undefined }), (bytes, contentType) => {
      expect([400, 415, 422]).toContain(outcome(Buffer.from(bytes), contentType));
    }),
  );
});

test('AA-046: of all JSON values only a message is accepted, and unchanged', () => {
  const message = fc.record({
    type: fc.constantFrom('user', 'raw'),
    content: fc.string({ unit: 'grapheme' }),
  });
  fc.assert(
    fc.property(fc.oneof(message, fc.jsonValue()), (value) => {
      const result = outcome(Buffer.from(JSON.stringify(value)));
      if (typeof result === 'number') expect(result).toBe(422);
      else expect(result).toEqual(value);
    }),
  );
});
