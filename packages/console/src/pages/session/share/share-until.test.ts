import { expect, test } from 'vitest';
import { endOf, linkAddress } from './share-until.ts';

test('shares end with the session, or after a time from now', () => {
  expect(endOf('session', 0)).toBeNull();
  expect(endOf('day', 0)).toBe('1970-01-02T00:00:00.000Z');
});

test('the token of a link is where no server sees it', () => {
  const link = new URL(linkAddress('https://host/console/sessions/x', 'a+b'));
  expect(link.pathname).toBe('/console/sessions/x');
  expect(new URLSearchParams(link.hash.slice(1)).get('token')).toBe('a+b');
});
