import { describe, expect, test } from 'vitest';
import {
  checkTags,
  ignoredMembers,
  initialMessageOf,
  NO_ADDITION,
  startBodySchema,
  startRequestOf,
} from './start-request.ts';

const rules = { host: 'github.com', depth: null, isKey: () => false };
const limits = { maxTags: 2, maxKeyChars: 5, maxValueChars: 10 };

describe('the body of POST /start', () => {
  test('PX-077: unknown members are kept out of the way and named', () => {
    const body = startBodySchema.parse({
      metadata: { a: 1 },
      scope: 'user',
      tags: {},
      params: { message: 'm', x: 1 },
    });
    expect(ignoredMembers(body, false)).toEqual(['metadata', 'scope', 'params.x']);
  });

  test('PX-078: a user_id without effect is named too', () => {
    const body = startBodySchema.parse({ user_id: 'bob' });
    expect(ignoredMembers(body, false)).toEqual(['user_id']);
    expect(ignoredMembers(body, true)).toEqual([]);
  });

  test.each([
    [{ environment: { A: 1 } }, 'environment'],
    [{ environment: [] }, 'environment'],
    [{ tags: 'x' }, 'tags'],
    [{ tags: { a: null } }, 'tags'],
    [{ message: {} }, 'message'],
    [{ agent: '' }, 'agent'],
    [{ agent_args: 'x' }, 'agent_args'],
    [{ user_id: 7 }, 'user_id'],
  ])('PX-085, DF-55: %j is refused at the member %s', (body, member) => {
    const result = startBodySchema.safeParse(body);
    expect(result.success).toBe(false);
    expect(result.error?.issues[0]?.path[0]).toBe(member);
  });

  test.each([
    [{ tags: { message: ' t ' }, message: 'm' }, 't'],
    [{ tags: { message: '' }, message: 'm' }, 'm'],
    [{ message: '  ' }, null],
    [{ message: '\n m \t' }, 'm'],
    [{ params: { message: 'p' } }, 'p'],
    [{}, null],
  ])('PX-107, PX-110: the message of %j is %j', (body, expected) => {
    expect(initialMessageOf(startBodySchema.parse(body))).toBe(expected);
  });

  test('DF-21: tags are limited in number and length; the message tag carries text', () => {
    expect(() => checkTags({ a: '1', b: '2', c: '3' }, limits)).toThrow(/at most 2/);
    expect(() => checkTags({ abcdef: '1' }, limits)).toThrow(/6 characters/);
    expect(() => checkTags({ '': '1' }, limits)).toThrow(/0 characters/);
    expect(() => checkTags({ a: 'x'.repeat(11) }, limits)).toThrow(/tags\.a has 11/);
    expect(() => checkTags({ message: 'x'.repeat(1000) }, { ...limits, maxKeyChars: 7 })).not.toThrow();
  });
});

describe('startRequestOf', () => {
  const addition = {
    agentArgs: ['--from-server'],
    workspaceFiles: [{ path: 'A.md', content: 'a' }],
    messagePrefix: 'Be brief.',
    profileId: 'brief',
  };

  test('what the server adds comes before what the request says', () => {
    expect(startRequestOf('alice', { message: ' Hello ', agent_args: ['--mine'] }, addition, rules)).toEqual({
      ownerId: 'alice',
      environment: {},
      tags: {},
      message: 'Be brief.\n\nHello',
      agent: null,
      agentArgs: ['--from-server', '--mine'],
      workspaceFiles: [{ path: 'A.md', content: 'a' }],
      script: null,
      repository: null,
      githubToken: null,
      profileId: 'brief',
    });
  });

  test('without a message of the request the added text is the first message', () => {
    expect(startRequestOf('alice', {}, addition, rules).message).toBe('Be brief.');
    expect(startRequestOf('alice', {}, NO_ADDITION, rules).message).toBeNull();
  });

  test('PX-107: the tag stays as it was sent', () => {
    const request = startRequestOf('alice', { tags: { message: 'Hello' } }, addition, rules);
    expect(request).toMatchObject({ message: 'Be brief.\n\nHello', tags: { message: 'Hello' } });
  });
});
