import { describe, expect, test } from 'vitest';
import { Cors } from './cors.ts';

function record(lines: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = (lines[i] ?? '').toLowerCase();
    expect(found[name], `${name} twice`).toBeUndefined();
    found[name] = lines[i + 1] ?? '';
  }
  return found;
}

describe('every origin', () => {
  const cors = new Cors({ origins: [], credentials: false, requestHeaders: ['X-My-Key', 'accept'] });

  test('PX-067, PX-074: `*` without credentials, whoever asks', () => {
    for (const origin of [undefined, 'https://a.example', 'null']) {
      const answer = record(cors.headersFor(origin).answer);
      expect(answer['access-control-allow-origin']).toBe('*');
      expect(answer['access-control-allow-credentials']).toBeUndefined();
      expect(answer['vary']).toBe('Origin');
    }
  });

  test('PX-068: the preflight names methods, headers and how long it holds', () => {
    const preflight = record(cors.headersFor('https://a.example').preflight);
    expect(preflight['access-control-allow-methods']).toBe('GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS');
    const allowed = (preflight['access-control-allow-headers'] ?? '').split(',');
    for (const name of [
      'Content-Type',
      'Accept',
      'Authorization',
      'X-API-Key',
      'X-Requested-With',
      'X-My-Key',
    ]) {
      expect(allowed).toContain(name);
    }
    expect(allowed.filter((name) => name.toLowerCase() === 'accept')).toHaveLength(1);
    expect(preflight['access-control-max-age']).toBe('86400');
  });

  test('an empty list names no origin, `*` names all', () => {
    expect(cors.names('https://a.example')).toBe(false);
    expect(new Cors({ origins: ['*'], credentials: false }).names('null')).toBe(true);
  });
});

describe('a list of origins', () => {
  const cors = new Cors({ origins: ['https://a.example', 'https://B.example'], credentials: true });

  test('PX-074: a named origin is echoed, with credentials', () => {
    const answer = record(cors.headersFor('https://b.example').answer);
    expect(answer['access-control-allow-origin']).toBe('https://b.example');
    expect(answer['access-control-allow-credentials']).toBe('true');
    expect(answer['vary']).toBe('Origin');
  });

  test.each([undefined, 'https://c.example', 'null', 'https://a.example.evil.example'])(
    'DF-17: %s gets no permission, but Vary',
    (origin) => {
      const { answer, preflight, proxied } = cors.headersFor(origin);
      expect(record(answer)).toEqual({ vary: 'Origin' });
      expect(Object.keys(record(preflight))).toEqual(['vary']);
      expect(proxied).toEqual([]);
    },
  );
});

test('PX-074: `*` cannot be combined with credentials', () => {
  expect(() => new Cors({ origins: ['*'], credentials: true })).toThrow(/credentials/);
});
