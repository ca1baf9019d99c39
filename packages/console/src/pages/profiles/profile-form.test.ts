import { describe, expect, test } from 'vitest';
import type { Profile } from '@agentapi-proxy/client';
import { pair } from '../../components/pairs.ts';
import {
  changesOf,
  differencesOf,
  EMPTY_PROFILE,
  formOfCopy,
  formOfProfile,
  isSameForm,
  membersOf,
  profileProblems,
  rebasedForm,
  requestOf,
} from './profile-form.ts';

const profile: Profile = {
  id: 'p-1',
  user_id: 'alice',
  name: 'Reviews',
  environment: { KEY: 'stored-secret', LEVEL: 'debug' },
  repository_history: [],
  system_prompt: 'Be brief.',
  message_templates: [
    {
      id: 't-1',
      name: 'review',
      content: 'Review {{file}}.',
      variables: ['file', 'more'],
      metadata: { by: 'x' },
      created_at: '2026-01-01T00:00:00Z',
    },
  ],
  agent: 'demo',
  agent_args: ['--fast'],
  is_default: true,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
};
const form = formOfProfile(profile);

describe('a profile as a form', () => {
  test('has no value of a variable in it', () => {
    expect(JSON.stringify(form)).not.toContain('stored-secret');
    expect(form.environment).toMatchObject([
      { name: 'KEY', value: '', isKept: true },
      { name: 'LEVEL', value: '', isKept: true },
    ]);
  });

  test('that nobody touches asks for no change', () => {
    expect(changesOf(form, profile)).toEqual({});
    expect(isSameForm(form, formOfProfile(profile))).toBe(true);
  });

  test('asks for what was touched only', () => {
    expect(changesOf({ ...form, systemPrompt: '', isDefault: false }, profile)).toEqual({
      system_prompt: '',
      is_default: false,
    });
  });

  test('keeps variables that were not replaced, and what templates have besides', () => {
    const [key] = form.environment ?? [];
    const changed = { ...form, environment: [...(key === undefined ? [] : [key]), pair('NEW', '1')] };
    expect(changesOf(changed, profile)).toEqual({ environment: { KEY: 'stored-secret', NEW: '1' } });
    expect(isSameForm(form, changed)).toBe(false);
    const templates = form.templates.map((each) => ({ ...each, content: 'Look at {{file}}.' }));
    expect(changesOf({ ...form, templates }, profile).message_templates).toEqual([
      {
        id: 't-1',
        name: 'review',
        content: 'Look at {{file}}.',
        category: '',
        variables: ['file', 'more'],
        metadata: { by: 'x' },
      },
    ]);
  });

  test('to replace a value with an empty one is a change', () => {
    const environment = (form.environment ?? []).map((each) =>
      each.name === 'KEY' ? { ...each, isKept: false } : each,
    );
    expect(isSameForm(form, { ...form, environment })).toBe(false);
    expect(changesOf({ ...form, environment }, profile)).toEqual({
      environment: { KEY: '', LEVEL: 'debug' },
    });
  });

  test('saved over a newer version keeps the newer values of variables that were not replaced', () => {
    const newer = { ...profile, environment: { KEY: 'rotated', LEVEL: 'debug' } };
    const changed = { ...form, environment: [...(form.environment ?? []), pair('NEW', '1')] };
    expect(changesOf(changed, profile, newer).environment).toEqual({
      KEY: 'rotated',
      LEVEL: 'debug',
      NEW: '1',
    });
  });

  test('of somebody else says nothing of the variables until all are replaced', () => {
    const { environment: _values, ...foreign } = { ...profile, environment_names: ['KEY'] };
    const shown = formOfProfile(foreign);
    expect(shown.environment).toBeNull();
    expect(changesOf({ ...shown, name: 'Other' }, foreign)).toEqual({ name: 'Other' });
    expect(changesOf({ ...shown, environment: [] }, foreign)).toEqual({ environment: {} });
    expect(formOfCopy(foreign).environment).toMatchObject([{ name: 'KEY', value: '' }]);
  });
});

test('a copy has another name, the values of the original, and is no default', () => {
  const copy = formOfCopy(profile);
  expect(requestOf(copy, profile)).toMatchObject({
    name: 'Reviews (copy)',
    environment: profile.environment,
    is_default: false,
    message_templates: [{ name: 'review', content: 'Review {{file}}.' }],
  });
  expect(requestOf(copy, profile).message_templates?.[0]).not.toHaveProperty('id');
});

test('two versions differ where somebody has changed something', () => {
  const { agent: _agent, ...without } = profile;
  const after = { ...without, environment: { KEY: 'x', LEVEL: 'debug' }, updated_at: '2026-02-01T00:00:00Z' };
  expect(differencesOf(profile, after)).toEqual(['agent', 'environment']);
  expect(differencesOf(profile, { ...profile })).toEqual([]);
  expect(membersOf({ name: 'x', environment: {} })).toEqual(['name', 'environment']);
});

test('a name, and name and text of every template, must be there', () => {
  const templates = [{ key: '1', name: ' ', category: '', content: '' }];
  const problems = profileProblems({ ...EMPTY_PROFILE, templates, environment: [pair('', 'x')] });
  expect([...problems.keys()]).toEqual([
    'name',
    'message_templates.0.name',
    'message_templates.0.content',
    'environment',
  ]);
});

test('what was changed while a form was being saved stays, on top of what was saved', () => {
  const added = { key: 'new', name: 'greet', category: '', content: 'Hello.' };
  const submitted = {
    ...form,
    name: ' Reviews 2 ',
    environment: [pair('KEY', 'typed'), pair('LEVEL', '', true)],
    templates: [...form.templates, added],
  };
  const template = { ...profile.message_templates[0], id: 't-2', name: 'greet', content: 'Hello.' };
  const saved = formOfProfile({
    ...profile,
    name: 'Reviews 2',
    message_templates: [...profile.message_templates, { created_at: '2026-01-01T00:00:00Z', ...template }],
  });
  const since = {
    ...submitted,
    systemPrompt: 'Be very brief.',
    environment: [...submitted.environment, pair('MORE', 'x')],
    templates: submitted.templates.map((each) => (each.key === 'new' ? { ...each, content: 'Hi.' } : each)),
  };
  const rebased = rebasedForm(since, submitted, saved);
  expect(rebased).toMatchObject({
    name: 'Reviews 2',
    systemPrompt: 'Be very brief.',
    environment: [
      { name: 'KEY', value: '', isKept: true },
      { name: 'LEVEL', value: '', isKept: true },
      { name: 'MORE', value: 'x' },
    ],
    templates: [{ stored: { id: 't-1' } }, { stored: { id: 't-2' }, content: 'Hi.' }],
  });
  expect(isSameForm(rebasedForm({ ...submitted }, submitted, saved), saved)).toBe(true);
});
