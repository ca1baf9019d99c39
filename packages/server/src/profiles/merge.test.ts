import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeStart, templateMessage } from './merge.ts';
import type { StartMembers } from './merge.ts';
import type { Profile } from './profile.ts';

const NOW = new Date('2026-01-01T12:00:00Z');

function profile(changes: Partial<Profile> = {}): Profile {
  return {
    id: 'id',
    userId: 'alice',
    name: 'p',
    description: '',
    environment: {},
    repositoryHistory: [],
    systemPrompt: '',
    messageTemplates: [],
    agent: null,
    agentArgs: [],
    script: null,
    repository: null,
    isDefault: false,
    createdAt: NOW,
    updatedAt: NOW,
    lastUsedAt: null,
    version: 1,
    ...changes,
  };
}

describe('mergeStart', () => {
  test('PX-205: variables of the profile, with the request’s on top', () => {
    const merged = mergeStart(profile({ environment: { A: 'profile', B: 'profile' } }), {
      environment: { B: 'request', C: 'request' },
    });
    expect(merged.environment).toEqual({ A: 'profile', B: 'request', C: 'request' });
  });

  test('PX-205: an empty value of the request is a value', () => {
    expect(mergeStart(profile({ environment: { A: 'x' } }), { environment: { A: '' } }).environment).toEqual({
      A: '',
    });
  });

  test('PX-205: tags and message are the request’s', () => {
    const merged = mergeStart(profile({ description: 'd', systemPrompt: 's' }), {
      tags: { k: 'v' },
      message: 'm',
    });
    expect(merged).toEqual({ environment: {}, tags: { k: 'v' }, message: 'm' });
  });

  test('the repository of the profile is for requests that name none', () => {
    const withRepository = profile({ repository: 'owner/profile' });
    expect(mergeStart(withRepository, {}).tags).toEqual({ repository: 'owner/profile' });
    expect(mergeStart(withRepository, { tags: { repository: 'owner/mine' } }).tags).toEqual({
      repository: 'owner/mine',
    });
    expect(mergeStart(withRepository, { tags: { repository: '' } }).tags).toEqual({ repository: '' });
  });

  test.each([
    ['nobody names an agent', null, undefined, undefined, undefined, ['--profile']],
    ['only the profile does', 'codex', undefined, undefined, 'codex', ['--profile']],
    ['both name the same', 'codex', 'codex', undefined, 'codex', ['--profile']],
    ['the request names another one', 'codex', 'claude', undefined, 'claude', undefined],
    ['only the request does', null, 'claude', undefined, 'claude', ['--profile']],
    ['the request has arguments', 'codex', undefined, ['--mine'], 'codex', ['--mine']],
    ['the request wants no arguments', 'codex', undefined, [], 'codex', []],
  ])('agent and arguments when %s', (_case, own, wanted, args, agent, expected) => {
    const merged = mergeStart(profile({ agent: own, agentArgs: ['--profile'] }), {
      agent: wanted,
      agent_args: args,
    });
    expect(merged.agent).toBe(agent);
    expect(merged.agent_args).toEqual(expected);
  });

  test('what a profile says nothing about stays as it was sent', () => {
    const request = { user_id: 'bob', params: { message: 'm' } };
    expect(mergeStart<StartMembers & typeof request>(profile(), request)).toEqual({
      user_id: 'bob',
      params: { message: 'm' },
      environment: {},
      tags: {},
    });
  });

  test('PX-205: every variable has the request’s value, else the profile’s, and there are no others', () => {
    const environment = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,4}$/), fc.string());
    fc.assert(
      fc.property(environment, environment, (own, wanted) => {
        const merged = mergeStart(profile({ environment: own }), { environment: wanted }).environment;
        expect(new Set(Object.keys(merged))).toEqual(new Set([...Object.keys(own), ...Object.keys(wanted)]));
        for (const [name, value] of Object.entries(merged)) {
          expect(value).toBe(Object.hasOwn(wanted, name) ? wanted[name] : own[name]);
        }
      }),
    );
  });

  test('PX-212: the result shares nothing with the profile', () => {
    const own = profile({ environment: { A: '1' }, agentArgs: ['x'] });
    const merged = mergeStart(own, {});
    merged.environment['A'] = '2';
    merged.agent_args?.push('y');
    expect(own).toMatchObject({ environment: { A: '1' }, agentArgs: ['x'] });
  });
});

describe('templateMessage', () => {
  const own = profile({
    messageTemplates: [
      {
        id: 'id-1',
        name: 'review',
        content: 'Review {{file}}',
        variables: ['file'],
        category: null,
        metadata: {},
        createdAt: NOW,
      },
    ],
  });

  test('a template with its variables', () => {
    const choice = { template: 'review', variables: { file: 'a.ts' }, hasMessage: false };
    expect(templateMessage(own, choice)).toBe('Review a.ts');
  });

  test('nothing wanted, nothing given', () => {
    const choice = { template: undefined, variables: undefined, hasMessage: true };
    expect(templateMessage(own, choice)).toBeNull();
  });

  test.each([
    [{ template: undefined, variables: {}, hasMessage: false }, /variables needs template/],
    [{ template: 'review', variables: { file: 'x' }, hasMessage: true }, /exclude each other/],
    [{ template: 'review', variables: undefined, hasMessage: false }, /missing: file/],
    [{ template: 'none', variables: undefined, hasMessage: false }, /no template "none"/],
  ])('%j is refused', (choice, message) => {
    expect(() => templateMessage(own, choice)).toThrow(message);
  });
});
