import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecretRegistry } from './secret-registry.ts';

const secretText = fc.string({ minLength: 6, maxLength: 40, unit: 'grapheme' });

describe('SecretRegistry', () => {
  test('PX-166: no secret survives in any string of a line, and the line stays JSON', () => {
    fc.assert(
      fc.property(fc.array(secretText, { minLength: 1, maxLength: 5 }), fc.nat(), (values, time) => {
        const secrets = new SecretRegistry();
        for (const value of values) secrets.add(value);
        for (const value of values) {
          const line = JSON.stringify({ time, msg: value, nested: { list: [value, { [value]: [value] }] } });
          expect(JSON.parse(secrets.maskLine(`${line}\n`))).toEqual({
            time,
            msg: '[secret]',
            nested: { list: ['[secret]', { '[secret]': ['[secret]'] }] },
          });
        }
      }),
    );
  });

  test('DF-04: finds a secret in JSON inside a string, in a URL, and line by line', () => {
    const secrets = new SecretRegistry();
    secrets.add('pass"word\\1');
    secrets.add('key with/slash');
    secrets.add('-----BEGIN-----\nMIIEvQIBADANBgkqhkiG\nQmFzZTY0TGluZVR3bzEyMw\n');
    const doubly = JSON.stringify({ body: JSON.stringify({ p: 'pass"word\\1' }) });
    expect(secrets.maskLine(doubly)).toBe(`${JSON.stringify({ body: '{"p":"[secret]"}' })}\n`);
    expect(secrets.mask('GET /x?k=key%20with%2Fslash')).toBe('GET /x?k=[secret]');
    expect(secrets.mask('at QmFzZTY0TGluZVR3bzEyMw!')).toBe('at [secret]!');
  });

  test('masks the longest of several secrets with one beginning', () => {
    const secrets = new SecretRegistry();
    secrets.add('token-1');
    secrets.add('token-1-extended');
    expect(secrets.mask('a token-1-extended b token-1 c')).toBe('a [secret] b [secret] c');
  });

  test('leaves short values, which are ordinary words, and texts without secrets alone', () => {
    const secrets = new SecretRegistry();
    secrets.add('debug');
    secrets.add('');
    const line = '{"level":"debug"}\n';
    expect(secrets.maskLine(line)).toBe(line);
  });

  test('forgets a value when everybody who added it has removed it', () => {
    const secrets = new SecretRegistry();
    const removeFirst = secrets.add('shared-value');
    const removeSecond = secrets.add('shared-value');
    removeFirst();
    removeFirst();
    expect(secrets.mask('shared-value')).toBe('[secret]');
    removeSecond();
    expect(secrets.mask('shared-value')).toBe('shared-value');
  });

  test('a number equal to a secret does not break the line', () => {
    const secrets = new SecretRegistry();
    secrets.add('123456');
    expect(secrets.maskLine('{"time":1234567890123,"msg":"pin 123456"}\n')).toBe(
      '{"time":1234567890123,"msg":"pin [secret]"}\n',
    );
  });
});
