import { describe, expect, test } from 'vitest';
import { attachUrl } from './server-link.ts';

describe('AA-022: attachUrl', () => {
  test('adds the scheme, keeps the path, drops slashes at the end', () => {
    expect(attachUrl('localhost:3284')).toBe('http://localhost:3284');
    expect(attachUrl('http://host/')).toBe('http://host');
    expect(attachUrl('https://host/sessions/7//')).toBe('https://host/sessions/7');
    expect(attachUrl('127.0.0.1:80/a/b/')).toBe('http://127.0.0.1:80/a/b');
  });

  test('refuses an empty URL with the text of agentapi, and what is none', () => {
    expect(() => attachUrl('')).toThrow('URL is required');
    expect(() => attachUrl('http://')).toThrow('http:// is not a URL');
    expect(() => attachUrl('httpx://host')).toThrow('httpx://host is not a URL');
  });
});
