import type { StartRequest, StartWithProfileRequest } from '@agentapi-proxy/client';
import { pairProblems, recordOf, withPairs, type Pair } from '../../components/pairs.ts';
import { NEW_SESSION } from '../../texts/new-session.ts';

/** What somebody has filled in to start a session. Texts are empty where nothing is said. */
export interface StartForm {
  readonly message: string;
  readonly title: string;
  /** Id of a profile. */
  readonly profile: string;
  readonly agent: string;
  readonly repository: string;
  readonly branch: string;
  readonly createBranch: boolean;
  readonly ref: string;
  readonly depth: string;
  readonly githubToken: string;
  readonly environment: readonly Pair[];
  readonly tags: readonly Pair[];
  readonly script: string;
  /** One argument a line. */
  readonly agentArgs: string;
  readonly owner: string;
}

/** What there is to go on with when a key has ended in between. */
export interface StartDraft {
  readonly form: StartForm;
  /** The session that was made of it; `null` before. */
  readonly startedId: string | null;
}

/** What is wrong, by the path of the member as the API names it. */
export type Problems = ReadonlyMap<string, string>;

/** The tag that names a session in lists. */
const TITLE_TAG = 'title';

/** What the next start begins with: where to work and with what, never a text of one session or a secret. */
const REMEMBERED = ['profile', 'agent', 'repository', 'branch', 'script'] as const;
type Remembered = Pick<StartForm, (typeof REMEMBERED)[number]>;

/** Members that a link may fill in; nothing that runs something, and nothing secret. */
const LINKED = ['message', 'title', 'profile', 'agent', 'repository', 'branch', 'ref'] as const;
const LINKED_TAG = 'tag.';

/** A form in which nothing is said. */
export const EMPTY_FORM: StartForm = {
  message: '',
  title: '',
  profile: '',
  agent: '',
  repository: '',
  branch: '',
  createBranch: false,
  ref: '',
  depth: '',
  githubToken: '',
  environment: [],
  tags: [],
  script: '',
  agentArgs: '',
  owner: '',
};

/** Whether a link says anything about the session. */
export function isLinked(query: URLSearchParams): boolean {
  return [...query.keys()].some(
    (name) => LINKED.some((each) => each === name) || name.startsWith(LINKED_TAG),
  );
}

/** The form as a link wants it; on top of what was chosen the last time, unless the link names a choice. */
export function formOfLink(query: URLSearchParams, last: Partial<Remembered>): StartForm {
  // What was chosen for another repository or agent does not go together with what the link is about.
  const base: StartForm = { ...EMPTY_FORM, ...(isLinked(query) ? {} : last) };
  const linked = Object.fromEntries(
    LINKED.flatMap((name): [string, string][] => {
      const value = query.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const tags = [...query.entries()]
    .filter(([name]) => name.startsWith(LINKED_TAG))
    .map(([name, value]) => ({ name: name.slice(LINKED_TAG.length), value }));
  return { ...base, ...linked, tags: withPairs(base.tags, tags) };
}

/** What of a form is kept for the next, as text for the browser's storage. */
export function rememberedText(form: StartForm): string {
  return JSON.stringify(Object.fromEntries(REMEMBERED.map((name) => [name, form[name]])));
}

/** Reads {@link rememberedText}; empty for whatever else is in the storage. */
export function parseRemembered(text: string | null): Partial<Remembered> {
  if (text === null) return {};
  try {
    const stored: unknown = JSON.parse(text);
    if (typeof stored !== 'object' || stored === null) return {};
    const values = new Map<string, unknown>(Object.entries(stored));
    return Object.fromEntries(
      REMEMBERED.flatMap((name): [string, string][] => {
        const value = values.get(name);
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    );
  } catch {
    return {};
  }
}

/** What can be seen to be wrong without asking the server. */
export function problemsOf(form: StartForm): Problems {
  const problems = new Map<string, string>();
  const repository = form.repository.trim();
  if (repository !== '' && !isRepository(repository)) problems.set('repository', NEW_SESSION.repositoryForm);
  if (repository === '' && form.profile === '' && (form.branch.trim() !== '' || form.ref.trim() !== '')) {
    problems.set(form.branch.trim() === '' ? 'ref' : 'branch', NEW_SESSION.needsRepository);
  }
  if (form.createBranch && form.branch.trim() === '') problems.set('branch', NEW_SESSION.needsBranch);
  if (form.depth.trim() !== '' && !/^\d{1,7}$/.test(form.depth.trim()))
    problems.set('depth', NEW_SESSION.depthForm);
  for (const [name, text] of pairProblems(form.environment)) problems.set(joined('environment', name), text);
  for (const [name, text] of pairProblems(form.tags)) problems.set(joined('tags', name), text);
  return problems;
}

/** The body of the request; `profile_id` says which of the two requests it is for. */
export function startRequestOf(form: StartForm): StartRequest & StartWithProfileRequest {
  const texts = {
    profile_id: form.profile,
    agent: form.agent,
    message: form.message.trim(),
    repository: form.repository.trim(),
    branch: form.branch.trim(),
    ref: form.ref.trim(),
    github_token: form.githubToken.trim(),
    script: form.script,
    user_id: form.owner.trim(),
  };
  const title = form.title.trim();
  const tags = { ...recordOf(form.tags), ...(title === '' ? {} : { [TITLE_TAG]: title }) };
  const environment = recordOf(form.environment);
  const args = form.agentArgs.split('\n').filter((line) => line.trim() !== '');
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')),
    ...(form.createBranch ? { create_branch: true } : {}),
    ...(form.depth.trim() === '' ? {} : { depth: Number(form.depth.trim()) }),
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(args.length === 0 ? {} : { agent_args: args }),
  };
}

/** `owner/name`, or an address; the server knows better which of them it can clone. */
function isRepository(text: string): boolean {
  return (
    /^[\w.-]+\/[\w.-]+$/.test(text) ||
    /^(?:[a-z][a-z0-9+.-]*:\/\/|[\w.-]+@)?[\w.-]+(?::\d+)?[:/][^/\s]+\/\S+$/i.test(text)
  );
}

function joined(member: string, name: string): string {
  return name === '' ? member : `${member}.${name}`;
}
