import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseServeCommand } from './control-channel.ts';
import { serveCommandSchema } from './control.ts';

test('a command is read exactly as the schema of the channel says', () => {
  const port = fc.oneof(fc.integer({ min: -2, max: 70_000 }), fc.double(), fc.string(), fc.constant(null));
  const token = fc.oneof(fc.string({ minLength: 10, maxLength: 20 }), fc.integer(), fc.constant(undefined));
  const kind = fc.oneof(fc.constant('serve'), fc.string(), fc.constant(undefined));
  const command = fc.record({ kind, port, token, extra: fc.anything() }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.oneof(command, fc.jsonValue()), (value) => {
      const line = JSON.stringify(value) ?? '';
      const parsed = serveCommandSchema.safeParse(JSON.parse(line === '' ? 'null' : line));
      expect(parseServeCommand(line)).toEqual(parsed.success ? parsed.data : null);
    }),
  );
});

test('a line that is no JSON is no command, and never throws', () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      parseServeCommand(line);
    }),
  );
  expect(parseServeCommand('{"kind":"serve"')).toBeNull();
});
