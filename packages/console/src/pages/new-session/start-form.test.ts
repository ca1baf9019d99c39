import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pair } from '../../components/pairs.ts';
import {
  EMPTY_FORM,
  formOfLink,
  isLinked,
  parseRemembered,
  problemsOf,
  rememberedText,
  startRequestOf,
} from './start-form.ts';

const secret = 'a-secret-value';

describe('the request of a form', () => {
  test('says nothing where nothing is said', () => {
    expect(startRequestOf(EMPTY_FORM)).toEqual({});
  });

  test('has everything that is filled in, and the title as a tag', () => {
    expect(
      startRequestOf({
        message: ' Mend the login \n',
        title: ' Login ',
        profile: 'p-1',
        agent: 'demo',
        repository: ' acme/shop ',
        branch: 'fix',
        createBranch: true,
        ref: 'v1',
        depth: '0',
        githubToken: secret,
        environment: [pair('A', '1'), pair()],
        tags: [pair('team', 'docs')],
        script: 'own.sh',
        agentArgs: '--model\n\nlarge one',
        owner: 'bob',
      }),
    ).toEqual({
      message: 'Mend the login',
      profile_id: 'p-1',
      agent: 'demo',
      repository: 'acme/shop',
      branch: 'fix',
      create_branch: true,
      ref: 'v1',
      depth: 0,
      github_token: secret,
      environment: { A: '1' },
      tags: { team: 'docs', title: 'Login' },
      script: 'own.sh',
      agent_args: ['--model', 'large one'],
      user_id: 'bob',
    });
  });
});

describe('what is remembered', () => {
  test('is where and with what a session works, never a text or a secret', () => {
    const text = rememberedText({
      ...EMPTY_FORM,
      agent: 'demo',
      repository: 'acme/shop',
      message: secret,
      title: secret,
      githubToken: secret,
      agentArgs: secret,
      environment: [pair('A', secret)],
      tags: [pair('t', secret)],
    });
    expect(text).not.toContain(secret);
    expect(formOfLink(new URLSearchParams(), parseRemembered(text))).toEqual({
      ...EMPTY_FORM,
      agent: 'demo',
      repository: 'acme/shop',
    });
  });

  test('is read from whatever the storage holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const form = { ...EMPTY_FORM, ...parseRemembered(text) };
        expect(typeof form.repository).toBe('string');
      }),
    );
    expect(parseRemembered('{"agent":1,"repository":"a/b","githubToken":"x"}')).toEqual({
      repository: 'a/b',
    });
  });
});

describe('a link', () => {
  test('fills in what it names, and nothing of the last time', () => {
    const query = new URLSearchParams('profile=p&agent=demo&repository=a/b&message=Hi&tag.team=docs');
    expect(formOfLink(query, { branch: 'old' })).toMatchObject({
      profile: 'p',
      agent: 'demo',
      repository: 'a/b',
      message: 'Hi',
      branch: '',
      tags: [{ name: 'team', value: 'docs' }],
    });
    expect(isLinked(query)).toBe(true);
    expect(isLinked(new URLSearchParams('utm=1'))).toBe(false);
  });

  test('cannot choose what is run, or bring secrets', () => {
    const query = new URLSearchParams('script=evil.sh&agentArgs=--yes&githubToken=x&environment=x&owner=bob');
    expect(formOfLink(query, {})).toEqual(EMPTY_FORM);
  });
});

describe('without asking the server it is seen', () => {
  test.each([
    'acme/shop',
    'https://github.com/acme/shop',
    'git@github.com:acme/shop.git',
    'ssh://h/a/b',
    'github.com/a/b',
  ])('that %s may be a repository', (repository) => {
    expect([...problemsOf({ ...EMPTY_FORM, repository }).keys()]).toEqual([]);
  });

  test.each(['shop', 'acme shop', 'acme/', 'https://github.com', '<script>'])(
    'that %s is no repository',
    (repository) => {
      expect([...problemsOf({ ...EMPTY_FORM, repository }).keys()]).toEqual(['repository']);
    },
  );

  test('that a branch needs a repository, which a profile may bring', () => {
    expect([...problemsOf({ ...EMPTY_FORM, branch: 'x' }).keys()]).toEqual(['branch']);
    expect([...problemsOf({ ...EMPTY_FORM, ref: 'x' }).keys()]).toEqual(['ref']);
    expect([...problemsOf({ ...EMPTY_FORM, branch: 'x', profile: 'p' }).keys()]).toEqual([]);
    expect([...problemsOf({ ...EMPTY_FORM, repository: 'a/b', createBranch: true }).keys()]).toEqual([
      'branch',
    ]);
  });

  test('that a depth is a number, and names of lines are there once', () => {
    const form = {
      ...EMPTY_FORM,
      depth: 'all',
      environment: [pair('A', '1'), pair('A', '2')],
      tags: [pair('', 'x')],
    };
    expect([...problemsOf(form).keys()].sort()).toEqual(['depth', 'environment.A', 'tags']);
  });
});
