import { expect, test } from 'vitest';
import { curlExample } from './curl-example.ts';

test('the example has a place for the key, and never a key', () => {
  expect(curlExample('http://host/x', true)).toBe(
    `curl http://host/x/message \\
  -H "X-API-Key: $AGENTAPI_PROXY_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"type": "user", "content": "Hello"}'`,
  );
  expect(curlExample('http://host/x', false)).not.toContain('X-API-Key');
});

test('an address cannot leave its word in the shell', () => {
  expect(curlExample("http://host/$(x)'y", false)).toContain(String.raw`'http://host/$(x)'\''y/message'`);
});
