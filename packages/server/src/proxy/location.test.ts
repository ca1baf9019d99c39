import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rebaseLocation } from './location.ts';

const base = { prefix: '/s1', path: '/a/b?x=1', port: 9000 };

describe('PX-145: Location is re-based below the session', () => {
  test.each([
    ['/chat', '/s1/chat'],
    ['/', '/s1/'],
    ['/chat?x=%20#top', '/s1/chat?x=%20#top'],
    ['http://127.0.0.1:9000/chat?x=1', '/s1/chat?x=1'],
    ['http://localhost:9000/chat', '/s1/chat'],
    ['http://[::1]:9000/chat', '/s1/chat'],
    ['//127.0.0.1:9000/chat', '/s1/chat'],
  ])('own address: %s becomes %s', (location, expected) => {
    expect(rebaseLocation(location, base)).toBe(expected);
  });

  test.each([
    'https://example.com/chat',
    'http://127.0.0.1:9001/chat',
    'https://127.0.0.1:9000/chat',
    '//example.com/x',
    'mailto:a@example.com',
    'http://[broken',
  ])('foreign: %s stays', (location) => {
    expect(rebaseLocation(location, base)).toBe(location);
  });

  test.each(['next', '?page=2', '#top', ''])('relative to the page: %j stays', (location) => {
    expect(rebaseLocation(location, base)).toBe(location);
  });

  test('a path below the prefix is the work of an agent that knows X-Forwarded-Prefix, and stays', () => {
    expect(rebaseLocation('/s1/chat', base)).toBe('/s1/chat');
    expect(rebaseLocation('/s1', base)).toBe('/s1');
    expect(rebaseLocation('/s10/chat', base)).toBe('/s1/s10/chat');
  });
});

test('DF-23: no Location of the agent server leads a browser to another path of the proxy', () => {
  const parts = fc.constantFrom('..', '.', '%2e%2E', '%2e', 'start', '', 'x', '\\', '?', '#', 'a b');
  const locations = fc
    .tuple(
      fc.constantFrom('', '/', '\\', './', '../', 'http://127.0.0.1:9000/'),
      fc.array(parts, { maxLength: 6 }),
    )
    .map(([start, rest]) => start + rest.join('/'));
  fc.assert(
    fc.property(locations, (location) => {
      const seen = rebaseLocation(location, base);
      const page = `http://proxy${base.prefix}${base.path}`;
      if (!URL.canParse(seen, page)) return;
      const url = new URL(seen, page);
      if (url.host !== 'proxy') return; // named another host, as it may
      expect(`${url.pathname}/`).toMatch(/^\/s1\//);
    }),
    { numRuns: 2000 },
  );
});
