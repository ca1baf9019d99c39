import { expect, test } from 'vitest';
import { highlight } from './code-highlighting.ts';

test('code in a known language gets colours, whatever else stands beside the fence', async () => {
  expect(await highlight('const a = 1;', 'ts title="a.ts"')).toContain('class="hljs-keyword"');
  expect(await highlight('echo "$HOME"', 'SH')).toContain('hljs-');
  expect(await highlight('<b>', 'html')).toContain('&lt;');
});

test('other code stays as it is', async () => {
  for (const language of ['', 'nonsense', 'constructor', '__proto__'])
    expect(await highlight('a', language)).toBeNull();
  expect(await highlight('x'.repeat(60_000), 'ts')).toBeNull();
});
