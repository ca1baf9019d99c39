import type { Profile, ProfileRequest, ProfileTemplate, VersionedProfile } from '@agentapi-proxy/client';
import { isBlankPair, pair, pairProblems, type Pair } from '../../components/pairs.ts';
import { PROFILE } from '../../texts/profiles.ts';

/** A message template, as somebody edits it. */
export interface TemplateRow {
  /** Tells the rows apart. */
  readonly key: string;
  /** What the server has; absent for a new one. */
  readonly stored?: ProfileTemplate;
  readonly name: string;
  readonly category: string;
  readonly content: string;
}

/** What somebody has filled in for a profile. Texts are empty where nothing is said. */
export interface ProfileForm {
  readonly name: string;
  readonly description: string;
  readonly agent: string;
  /** One a line. */
  readonly agentArgs: string;
  readonly script: string;
  readonly repository: string;
  readonly systemPrompt: string;
  /** `null`: the variables stay as they are, because their values are not known. */
  readonly environment: readonly Pair[] | null;
  readonly templates: readonly TemplateRow[];
  readonly isDefault: boolean;
}

/** What there is to go on with when a key has ended in between. */
export interface ProfileDraft {
  readonly form: ProfileForm;
  /** What the form showed at first. */
  readonly start: ProfileForm;
  /** What is changed; `null` for a new profile. */
  readonly base: VersionedProfile | null;
}

/** What is wrong, by the path of the member as the API names it. */
export type ProfileProblems = ReadonlyMap<string, string>;

/** The members of a request that the form is about. */
export type ProfileMember = keyof typeof PROFILE.fields;

/** A form in which nothing is said. */
export const EMPTY_PROFILE: ProfileForm = {
  name: '',
  description: '',
  agent: '',
  agentArgs: '',
  script: '',
  repository: '',
  systemPrompt: '',
  environment: [],
  templates: [],
  isDefault: false,
};

/** A profile as a form. Values of variables stay out of it: the form says that there is one. */
export function formOfProfile(profile: Profile): ProfileForm {
  const { environment } = profile;
  return {
    name: profile.name,
    description: profile.description ?? '',
    agent: profile.agent ?? '',
    agentArgs: (profile.agent_args ?? []).join('\n'),
    script: profile.script ?? '',
    repository: profile.repository ?? '',
    systemPrompt: profile.system_prompt,
    environment:
      environment === undefined ? null : Object.keys(environment).map((name) => pair(name, '', true)),
    templates: profile.message_templates.map((stored) => ({
      key: stored.id,
      stored,
      name: stored.name,
      category: stored.category ?? '',
      content: stored.content,
    })),
    isDefault: profile.is_default ?? false,
  };
}

/** A form for another profile like this one. Values that are not known have to be given again. */
export function formOfCopy(profile: Profile): ProfileForm {
  const form = formOfProfile(profile);
  return {
    ...form,
    name: PROFILE.copyName(profile.name),
    environment: form.environment ?? (profile.environment_names ?? []).map((name) => pair(name)),
    templates: form.templates.map(({ key, name, category, content }) => ({ key, name, category, content })),
    isDefault: false,
  };
}

/**
 * The body of the request that makes a profile what the form says.
 *
 * @param source - where the values of kept variables are; `null` for a profile that has none
 */
export function requestOf(
  form: ProfileForm,
  source: Profile | null,
): ProfileRequest & { readonly name: string } {
  const known = source?.environment ?? {};
  return {
    name: form.name.trim(),
    description: form.description,
    agent: form.agent,
    agent_args: linesOf(form.agentArgs),
    script: form.script,
    repository: form.repository.trim(),
    system_prompt: form.systemPrompt,
    ...(form.environment === null
      ? {}
      : {
          environment: Object.fromEntries(
            form.environment
              .filter((each) => !isBlankPair(each))
              .map(({ name, value, isKept }) => [name.trim(), isKept === true ? (known[name] ?? '') : value]),
          ),
        }),
    message_templates: form.templates.map(({ stored, name, category, content }) => ({
      ...(stored === undefined ? {} : unchangedOf(stored)),
      name: name.trim(),
      content,
      category: category.trim(),
    })),
    is_default: form.isDefault,
  };
}

/**
 * What of a request is other than a profile is now: the members that have to be sent.
 *
 * @param newer - a version that others have saved: what is kept of the variables is kept of that
 */
export function changesOf(form: ProfileForm, profile: Profile, newer?: Profile): ProfileRequest {
  const environment = { ...profile.environment, ...newer?.environment };
  const wanted = requestOf(form, { ...profile, environment });
  const unmerged = requestOf(form, profile);
  const present = requestOf(formOfProfile(profile), profile);
  return Object.fromEntries(
    Object.entries(wanted).filter(([member]) => !isSame(valueOf(unmerged, member), valueOf(present, member))),
  );
}

/**
 * A form that was changed while it was being saved: what was changed since stays, all else is as it was saved.
 *
 * @param submitted - the form as it was sent
 * @param saved - the form of what the server has made of that
 */
export function rebasedForm(form: ProfileForm, submitted: ProfileForm, saved: ProfileForm): ProfileForm {
  const of = <Member extends keyof ProfileForm>(member: Member): ProfileForm[Member] =>
    form[member] === submitted[member] ? saved[member] : form[member];
  return {
    name: of('name'),
    description: of('description'),
    agent: of('agent'),
    agentArgs: of('agentArgs'),
    script: of('script'),
    repository: of('repository'),
    systemPrompt: of('systemPrompt'),
    // The server has the values that were sent now.
    environment:
      form.environment?.map((each) =>
        submitted.environment?.includes(each) === true && !isBlankPair(each)
          ? { ...each, value: '', isKept: true }
          : each,
      ) ?? saved.environment,
    templates: form.templates.map((each) => {
      const index = submitted.templates.findIndex(({ key }) => key === each.key);
      const stored = saved.templates[index]?.stored;
      return stored === undefined ? each : { ...each, stored };
    }),
    isDefault: of('isDefault'),
  };
}

/** Whether two forms ask for the same. */
export function isSameForm(a: ProfileForm, b: ProfileForm): boolean {
  const kept = (form: ProfileForm) => form.environment?.map(({ name, isKept }) => [name, isKept === true]);
  return isSame([requestOf(a, null), kept(a)], [requestOf(b, null), kept(b)]);
}

/** The members in which two versions of a profile differ. */
export function differencesOf(before: Profile, after: Profile): readonly ProfileMember[] {
  const [one, other] = [comparable(before), comparable(after)];
  return MEMBERS.filter((member) => !isSame(valueOf(one, member), valueOf(other, member)));
}

/** The members that a request is about. */
export function membersOf(request: ProfileRequest): readonly ProfileMember[] {
  return MEMBERS.filter((member) => Object.hasOwn(request, member));
}

/** What can be seen to be wrong without asking the server. */
export function profileProblems(form: ProfileForm): ProfileProblems {
  const problems = new Map<string, string>();
  if (form.name.trim() === '') problems.set('name', PROFILE.nameMissing);
  form.templates.forEach(({ name, content }, index) => {
    if (name.trim() === '') problems.set(`message_templates.${index}.name`, PROFILE.templateNameMissing);
    if (content.trim() === '')
      problems.set(`message_templates.${index}.content`, PROFILE.templateContentMissing);
  });
  for (const [name, text] of pairProblems(form.environment ?? []))
    problems.set(name === '' ? 'environment' : `environment.${name}`, text);
  return problems;
}

const MEMBERS: readonly ProfileMember[] = [
  'name',
  'description',
  'agent',
  'agent_args',
  'script',
  'repository',
  'system_prompt',
  'environment',
  'message_templates',
  'is_default',
];

/** For those who do not get the values, only the names can be compared. */
function comparable(profile: Profile): ProfileRequest {
  const { environment, environment_names: names = [] } = profile;
  return {
    ...requestOf(formOfProfile(profile), profile),
    environment: environment ?? Object.fromEntries(names.map((name) => [name, ''])),
  };
}

/** What a template has besides what the form shows; it stays. */
function unchangedOf({ id, variables, metadata }: ProfileTemplate) {
  return {
    id,
    ...(variables === undefined ? {} : { variables }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function valueOf(request: ProfileRequest, member: string): unknown {
  return new Map<string, unknown>(Object.entries(request)).get(member);
}

/** Compares what comes from JSON; the order of the members of an object does not matter. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => [name, sorted(each)]);
}
