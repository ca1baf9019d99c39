import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { buildEnvironment, checkEnvironment } from './environment.ts';
import type { EnvironmentPolicy } from './environment.ts';

const policy: EnvironmentPolicy = {
  inherited: { PATH: '/bin', HOME: '/home/u', GITHUB_TOKEN: 'op' },
  set: { EDITOR: 'true', HOME: '/operator' },
  deny: ['LD_*', 'NODE_OPTIONS'],
  maxEntries: 5,
  maxBytes: 100,
};

describe('the environment of a session', () => {
  test('the settings of the operator beat what is inherited', () => {
    expect(buildEnvironment(policy, {}, {})).toEqual({
      PATH: '/bin',
      HOME: '/operator',
      EDITOR: 'true',
      GITHUB_TOKEN: 'op',
    });
  });

  test('PX-083: the request wins over the agent, the operator and the server', () => {
    const environment = buildEnvironment(
      policy,
      { HOME: '/agent', A: '1' },
      { GITHUB_TOKEN: 'mine', A: '2' },
    );
    expect(environment).toMatchObject({ GITHUB_TOKEN: 'mine', A: '2', HOME: '/agent' });
  });

  test.each(['', '1A', 'A B', 'A=B', 'A-B', 'Ä', 'A\0'])('PX-085: the name %j is refused by name', (name) => {
    expect(() => checkEnvironment({ [name]: 'hidden' }, policy)).toThrow(
      expect.objectContaining({
        code: 'invalid_environment',
        message: expect.not.stringContaining('hidden'),
      }),
    );
  });

  test.each(['LD_PRELOAD', 'LD_X', 'NODE_OPTIONS', 'AGENTAPI_PROXY_SESSION'])(
    'DF-13: %s is on the deny-list',
    (name) => {
      expect(() => checkEnvironment({ [name]: 'hidden' }, policy)).toThrow(/may not be set/);
    },
  );

  test('a NUL in a value, too many entries and too many bytes are refused without showing a value', () => {
    const refused: Record<string, string>[] = [
      { A: 'hidden\0' },
      Object.fromEntries(['A', 'B', 'C', 'D', 'E', 'F'].map((name) => [name, 'hidden'])),
      { A: 'hidden'.repeat(20) },
    ];
    for (const environment of refused) {
      expect(() => checkEnvironment(environment, policy)).toThrow(
        expect.objectContaining({
          code: 'invalid_environment',
          message: expect.not.stringContaining('hidden'),
        }),
      );
    }
  });

  test('any map of strings is either accepted or refused with the right error', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (environment) => {
        try {
          checkEnvironment(environment, policy);
          for (const name of Object.keys(environment)) expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});
