import { expect, test } from 'vitest';
import { cloneUrlOf, forgeOf } from './forge.ts';

test.each([
  ['https://api.github.com', '', 'https://github.com/o/r.git', 'https://api.github.com', 'github.com'],
  ['https://api.github.com/', '', 'https://github.com/o/r.git', 'https://api.github.com', 'github.com'],
  [
    'https://git.example.com/api/v3',
    '',
    'https://git.example.com/o/r.git',
    'https://git.example.com/api/v3',
    'git.example.com',
  ],
  [
    'https://git.example.com/api/v3/',
    '',
    'https://git.example.com/o/r.git',
    'https://git.example.com/api/v3',
    'git.example.com',
  ],
  [
    'https://api.acme.ghe.com',
    '',
    'https://acme.ghe.com/o/r.git',
    'https://api.acme.ghe.com',
    'acme.ghe.com',
  ],
  [
    'http://127.0.0.1:4711/api/v3',
    '',
    'http://127.0.0.1:4711/o/r.git',
    'http://127.0.0.1:4711/api/v3',
    '127.0.0.1:4711',
  ],
  [
    'https://example.com/github/api/v3',
    '',
    'https://example.com/github/o/r.git',
    'https://example.com/github/api/v3',
    'example.com',
  ],
  [
    'https://api.example.com',
    'https://code.example.com/git',
    'https://code.example.com/git/o/r.git',
    'https://api.example.com',
    'code.example.com',
  ],
])('PX-105: the API %s with the address %j clones %s', (api, url, cloned, apiUrl, host) => {
  const forge = forgeOf(api, url);
  expect(cloneUrlOf(forge, { owner: 'o', name: 'r' })).toBe(cloned);
  expect(forge).toMatchObject({ apiUrl, host });
});
