import { randomUUID } from 'node:crypto';
import { AppError } from '../errors.ts';
import { isBroken } from '../plain-text.ts';
import { parseRepository } from '../workspace/repository.ts';
import type { MessageTemplate, Profile, RepositoryEntry } from './profile.ts';

/** A repository entry as a caller gives it; absent = nothing said. */
export interface RepositoryInput {
  /** Names an entry that the profile has already; any other id is not taken over. */
  readonly id?: string | undefined;
  readonly url?: string | undefined;
  readonly name?: string | undefined;
  readonly branch?: string | undefined;
  readonly lastCommit?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A message template as a caller gives it; absent = nothing said. */
export interface TemplateInput {
  /** Names a template that the profile has already; any other id is not taken over. */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly content?: string | undefined;
  readonly variables?: readonly string[] | undefined;
  readonly category?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A profile as a caller gives it; absent = the default, or unchanged. */
export interface ProfileInput {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly repositoryHistory?: readonly RepositoryInput[] | undefined;
  readonly systemPrompt?: string | undefined;
  readonly messageTemplates?: readonly TemplateInput[] | undefined;
  /** Empty = none. */
  readonly agent?: string | undefined;
  readonly agentArgs?: readonly string[] | undefined;
  /** Empty = none. */
  readonly script?: string | undefined;
  /** Empty = none. */
  readonly repository?: string | undefined;
  readonly isDefault?: boolean | undefined;
}

/** What this server lets into a profile; each check throws an AppError that names the field. */
export interface ProfilePolicy {
  readonly checkEnvironment: (environment: Readonly<Record<string, string>>) => void;
  readonly checkAgent: (name: string) => void;
  readonly checkScript: (name: string) => Promise<void>;
}

/** What a caller may set. */
export type ProfileFields = Pick<
  Profile,
  | 'name'
  | 'description'
  | 'environment'
  | 'repositoryHistory'
  | 'systemPrompt'
  | 'messageTemplates'
  | 'agent'
  | 'agentArgs'
  | 'script'
  | 'repository'
  | 'isDefault'
>;

const MAX_NAME_CHARS = 200;
const MAX_TEXT_CHARS = 10_000;
const MAX_URL_CHARS = 2_000;
const MAX_TEMPLATE_CHARS = 100_000;
const MAX_MAP_ENTRIES = 100;
const MAX_ARGUMENTS = 100;
/** Linux takes 128 KiB an argument, and some agents get the system prompt as one. */
const MAX_ARGUMENT_BYTES = 100_000;
/** Repositories, and templates, of one profile; all of them are read with it. */
export const MAX_ENTRIES = 1000;

const EMPTY: ProfileFields = {
  name: '',
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
};

/**
 * The fields of a profile after a change: what the input says, else what `present` has (PX-193).
 * @param present - `null` for a new profile.
 * @throws AppError `invalid_profile` and whatever the policy throws, with the path of the field.
 */
export function fieldsOf(
  input: ProfileInput,
  present: ProfileFields | null,
  policy: ProfilePolicy,
  now: Date,
): ProfileFields {
  const base = present ?? EMPTY;
  const environment = input.environment ?? base.environment;
  if (input.environment) policy.checkEnvironment(input.environment);
  if (input.agent) policy.checkAgent(input.agent);
  if (input.repository) checkRepository(input.repository);
  return {
    name: input.name === undefined && present !== null ? base.name : name(input.name, 'name'),
    description: input.description === undefined ? base.description : text(input.description, 'description'),
    environment,
    repositoryHistory: input.repositoryHistory
      ? repositories(input.repositoryHistory, base.repositoryHistory, now)
      : base.repositoryHistory,
    systemPrompt:
      input.systemPrompt === undefined ? base.systemPrompt : argument(input.systemPrompt, 'system_prompt'),
    messageTemplates: input.messageTemplates
      ? templates(input.messageTemplates, base.messageTemplates, now)
      : base.messageTemplates,
    agent: orNone(input.agent, base.agent, 'agent'),
    agentArgs: input.agentArgs ? args(input.agentArgs) : base.agentArgs,
    script: orNone(input.script, base.script, 'script'),
    repository: orNone(input.repository, base.repository, 'repository'),
    isDefault: input.isDefault ?? base.isDefault,
  };
}

/**
 * A history with one more repository. The same address again keeps its entry, with what the new one does not
 * say (PX-198).
 * @param path - of the entry in the request, for errors; empty for the request itself.
 * @throws AppError `invalid_profile`
 */
export function withRepository(
  history: readonly RepositoryEntry[],
  input: RepositoryInput,
  now: Date,
  path = '',
): readonly RepositoryEntry[] {
  const entry = repository(input, path);
  const known = history.find(({ url }) => url === entry.url);
  if (known === undefined) {
    checkCount(history.length + 1, 'repository_history');
    return [...history, { ...entry, id: randomUUID(), accessedAt: now }];
  }
  const merged: RepositoryEntry = {
    ...known,
    name: entry.name,
    branch: entry.branch ?? known.branch,
    lastCommit: entry.lastCommit ?? known.lastCommit,
    metadata: { ...known.metadata, ...entry.metadata },
    accessedAt: now,
  };
  return history.map((each) => (each === known ? merged : each));
}

/**
 * Templates with one more at the end; names may repeat (PX-200).
 * @throws AppError `invalid_profile`
 */
export function withTemplate(
  present: readonly MessageTemplate[],
  input: TemplateInput,
  now: Date,
): readonly MessageTemplate[] {
  checkCount(present.length + 1, 'message_templates');
  return [...present, { ...template(input, ''), id: randomUUID(), createdAt: now }];
}

/** A list that replaces the history as a whole; entries that it had keep id and time (PX-201). */
function repositories(
  inputs: readonly RepositoryInput[],
  present: readonly RepositoryEntry[],
  now: Date,
): readonly RepositoryEntry[] {
  checkCount(inputs.length, 'repository_history');
  const left = new Set(present);
  const urls = new Set<string>();
  return inputs.map((input, index) => {
    const path = `repository_history.${index}`;
    const entry = repository(input, path);
    if (urls.has(entry.url)) throw refusal(`${path}.url`, 'is in the list twice');
    urls.add(entry.url);
    const known = [...left].find(({ id, url }) => id === input.id || url === entry.url);
    if (known !== undefined) left.delete(known);
    return { ...entry, id: known?.id ?? randomUUID(), accessedAt: known?.accessedAt ?? now };
  });
}

function templates(
  inputs: readonly TemplateInput[],
  present: readonly MessageTemplate[],
  now: Date,
): readonly MessageTemplate[] {
  checkCount(inputs.length, 'message_templates');
  const left = new Map(present.map((each) => [each.id, each]));
  return inputs.map((input, index) => {
    const known = left.get(input.id ?? '');
    left.delete(input.id ?? '');
    return {
      ...template(input, `message_templates.${index}`),
      id: known?.id ?? randomUUID(),
      createdAt: known?.createdAt ?? now,
    };
  });
}

function repository(input: RepositoryInput, path: string): Omit<RepositoryEntry, 'id' | 'accessedAt'> {
  const at = pathBelow(path);
  const url = name(input.url, at('url'), MAX_URL_CHARS);
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:[^/?#]*@/i.test(url) || /^https?:\/\/[^/?#]*@/i.test(url)) {
    throw refusal(at('url'), 'must not contain a password or token; put it into environment');
  }
  return {
    url,
    name: name(input.name, at('name')),
    branch: orNone(input.branch, null, at('branch')),
    lastCommit: orNone(input.lastCommit, null, at('last_commit')),
    metadata: map(input.metadata, at('metadata')),
  };
}

function template(input: TemplateInput, path: string): Omit<MessageTemplate, 'id' | 'createdAt'> {
  const at = pathBelow(path);
  const { content } = input;
  if (content === undefined || content.trim() === '') throw refusal(at('content'), 'must not be empty');
  const variables = input.variables ?? [];
  if (variables.length > MAX_MAP_ENTRIES)
    throw refusal(at('variables'), tooMany(variables.length, MAX_MAP_ENTRIES));
  return {
    name: name(input.name, at('name')),
    content: text(content, at('content'), MAX_TEMPLATE_CHARS),
    variables: variables.map((each, index) => name(each, `${at('variables')}.${index}`)),
    category: orNone(input.category, null, at('category')),
    metadata: map(input.metadata, at('metadata')),
  };
}

/** A text that must say something; without the blanks around it (PX-189, PX-195, PX-199). */
function name(value: string | undefined, field: string, maxChars = MAX_NAME_CHARS): string {
  const trimmed = value?.trim() ?? '';
  if (trimmed === '') throw refusal(field, 'must not be empty');
  return text(trimmed, field, maxChars);
}

function text(value: string, field: string, maxChars = MAX_TEXT_CHARS): string {
  if (value.length > maxChars)
    throw refusal(field, `has ${value.length} characters; at most ${maxChars} are allowed`);
  return whole(value, field);
}

function argument(value: string, field: string): string {
  const size = Buffer.byteLength(value);
  if (size > MAX_ARGUMENT_BYTES)
    throw refusal(field, `has ${size} bytes; at most ${MAX_ARGUMENT_BYTES} are allowed`);
  return whole(value, field);
}

function args(values: readonly string[]): readonly string[] {
  if (values.length > MAX_ARGUMENTS) throw refusal('agent_args', tooMany(values.length, MAX_ARGUMENTS));
  return values.map((value, index) => argument(value, `agent_args.${index}`));
}

function map(value: Readonly<Record<string, string>> | undefined, field: string): Record<string, string> {
  const entries = Object.entries(value ?? {});
  if (entries.length > MAX_MAP_ENTRIES) throw refusal(field, tooMany(entries.length, MAX_MAP_ENTRIES));
  return Object.fromEntries(
    entries.map(([key, each]) => {
      const at = `${field}.${key.slice(0, 100)}`;
      return [text(key, at, MAX_NAME_CHARS), text(each, at)];
    }),
  );
}

/** An empty text takes a value away; none leaves the present one. */
function orNone(value: string | undefined, present: string | null, field: string): string | null {
  if (value === undefined) return present;
  return value === '' ? null : text(value, field);
}

function checkRepository(value: string): void {
  try {
    parseRepository(value);
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    const message = 'repository must be "owner/repo" or a GitHub address of one';
    throw new AppError('invalid_profile', { message, cause, details: { field: 'repository' } });
  }
}

function whole(value: string, field: string): string {
  if (isBroken(value)) throw refusal(field, 'must not contain NUL characters or broken Unicode');
  return value;
}

function checkCount(count: number, field: string): void {
  if (count > MAX_ENTRIES) throw refusal(field, tooMany(count, MAX_ENTRIES));
}

function tooMany(count: number, most: number): string {
  return `has ${count} entries; at most ${most} are allowed`;
}

function pathBelow(path: string): (member: string) => string {
  return (member) => (path === '' ? member : `${path}.${member}`);
}

function refusal(field: string, what: string): AppError {
  return new AppError('invalid_profile', { message: `${field} ${what}`, details: { field } });
}
