import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Me, Profile } from '@agentapi-proxy/client';
import { useLoaded } from '../../api/use-loaded.ts';
import { Button } from '../../components/button.tsx';
import { Check, focusFirstInvalid } from '../../components/field.tsx';
import { ErrorNotice, Notice } from '../../components/notice.tsx';
import { PairEditor } from '../../components/pair-editor.tsx';
import { isBlankPair, problemsBelow } from '../../components/pairs.ts';
import { TextAreaField, TextField } from '../../components/text-field.tsx';
import { useConsole } from '../../console-context.ts';
import { TemplatesDialog } from '../../conversation/templates-dialog.tsx';
import { isComposing } from '../../is-composing.ts';
import { ENVIRONMENT, TAGS } from '../../texts/forms.ts';
import { NEW_SESSION } from '../../texts/new-session.ts';
import { AdvancedFields } from './advanced-fields.tsx';
import { AgentField, ProfileField, variableNames } from './choice-fields.tsx';
import { Fold } from './fold.tsx';
import type { Problems, StartForm } from './start-form.ts';

/** Who has chosen the profile that the form begins with. */
export type ProfileFrom = 'link' | 'last-time' | 'person' | 'nowhere';

interface StartFieldsProps {
  readonly form: StartForm;
  readonly profileFrom: ProfileFrom;
  readonly problems: Problems;
  /** Why the request was refused, if it was not for one of the fields. */
  readonly failure: unknown;
  readonly isBusy: boolean;
  readonly onChange: (change: Partial<StartForm>) => void;
  readonly onSubmit: () => void;
}

/** Members that have a field of their own, where their problem is shown. */
const FIELDS: readonly string[] = [
  'message',
  'profile_id',
  'agent',
  'repository',
  'branch',
  'environment',
  'tags',
];
const ADVANCED: readonly string[] = [
  'script',
  'agent_args',
  'ref',
  'depth',
  'create_branch',
  'github_token',
  'user_id',
];

/** Everything that a session can be started with. */
export function StartFields({
  form,
  profileFrom,
  problems,
  failure,
  isBusy,
  onChange,
  onSubmit,
}: StartFieldsProps) {
  const { auth, client } = useConsole();
  const root = useRef<HTMLFormElement>(null);
  const message = useRef<HTMLTextAreaElement>(null);
  const [isChoosing, setChoosing] = useState(false);
  const canListProfiles = auth.can('profile:list');
  const choices = useLoaded(
    async (signal) => {
      const [agents, scripts] = await Promise.all([client.agents({ signal }), client.scripts({ signal })]);
      return { agents, scripts };
    },
    [client],
  );
  const profiles = useLoaded<readonly Profile[]>(
    async (signal) => (canListProfiles ? await client.profiles.list({ signal }) : []),
    [client, canListProfiles],
  );
  const profile = profiles.value?.find(({ id }) => id === form.profile) ?? null;

  useEffect(() => {
    if (profiles.value === null || profileFrom === 'link') return;
    const own = profiles.value.find(
      ({ is_default: isDefault, user_id: owner }) => isDefault === true && owner === auth.me?.user_id,
    );
    if (form.profile === '' && profileFrom === 'nowhere' && own !== undefined) onChange({ profile: own.id });
    // What was chosen the last time is gone.
    if (form.profile !== '' && !profiles.value.some(({ id }) => id === form.profile))
      onChange({ profile: '' });
    // Only when they arrive: afterwards it is as the person wants it.
  }, [profiles.value]);
  useLayoutEffect(() => {
    // On a telephone the keyboard would cover the rest of the form.
    if (!matchMedia('(pointer: coarse)').matches) message.current?.focus();
  }, []);
  useLayoutEffect(() => {
    // The first thing to mend, also when it lies in a part that was folded until now.
    focusFirstInvalid(root.current);
  }, [problems]);

  const membersOf = (path: string): string => path.split('.', 1)[0] ?? '';
  const hasProblem = (members: readonly string[]): boolean =>
    [...problems.keys()].some((path) => members.includes(membersOf(path)));
  const others = [...problems].filter(([path]) => ![...FIELDS, ...ADVANCED].includes(membersOf(path)));
  const variables = form.environment.filter((each) => !isBlankPair(each)).length;
  const tags = form.tags.filter((each) => !isBlankPair(each)).length;
  const brought = profile === null ? [] : variableNames(profile);

  return (
    <form
      ref={root}
      class="start-form"
      noValidate
      autocomplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || isBusy || isComposing(event))
          return;
        event.preventDefault();
        onSubmit();
      }}
    >
      <TextAreaField
        label={NEW_SESSION.message}
        hint={NEW_SESSION.messageHint}
        error={problems.get('message')}
        controlRef={message}
        class="start-message"
        rows={5}
        dir="auto"
        value={form.message}
        onChange={(text) => onChange({ message: text })}
      />
      {canListProfiles && (
        <div>
          <Button size="small" icon="file" onClick={() => setChoosing(true)}>
            {NEW_SESSION.useTemplate}
          </Button>
        </div>
      )}
      <div class="start-columns">
        <ProfileField
          profiles={profiles.value}
          error={profiles.error}
          problem={problems.get('profile_id')}
          value={form.profile}
          canList={canListProfiles}
          onChange={(id) => onChange({ profile: id })}
          onRetry={profiles.reload}
        />
        <AgentField
          agents={choices.value?.agents ?? null}
          profile={profile}
          problem={problems.get('agent')}
          value={form.agent}
          onChange={(agent) => onChange({ agent })}
        />
      </div>
      {choices.error !== null && (
        <ErrorNotice title={NEW_SESSION.choicesFailed} error={choices.error} onRetry={choices.reload} />
      )}
      <div class="start-columns start-repository">
        <TextField
          label={NEW_SESSION.repository}
          hint={repositoryHint(form, profile, auth.me)}
          error={problems.get('repository') ?? problems.get('tags.repository')}
          dir="auto"
          isCode
          suggestions={knownRepositories(profiles.value ?? [], profile)}
          placeholder={profile?.repository ?? ''}
          value={form.repository}
          onChange={(repository) => onChange({ repository })}
        />
        <div class="start-branch">
          <TextField
            label={NEW_SESSION.branch}
            error={problems.get('branch') ?? problems.get('tags.branch')}
            dir="auto"
            isCode
            placeholder={NEW_SESSION.branchDefault}
            value={form.branch}
            onChange={(branch) => onChange({ branch })}
          />
          {form.branch.trim() !== '' && (
            <Check
              label={NEW_SESSION.createBranch}
              checked={form.createBranch}
              onChange={(createBranch) => onChange({ createBranch })}
            />
          )}
        </div>
      </div>
      <TextField
        label={NEW_SESSION.title}
        hint={NEW_SESSION.titleHint}
        error={problems.get('tags.title')}
        dir="auto"
        maxLength={auth.me?.limits.tag_value_chars}
        value={form.title}
        onChange={(title) => onChange({ title })}
      />
      <Fold title={NEW_SESSION.environment} count={variables} isForced={hasProblem(['environment'])}>
        {brought.length > 0 && (
          <p class="field-hint">
            <bdi>{NEW_SESSION.environmentOfProfile(brought.join(', '))}</bdi>
          </p>
        )}
        <PairEditor
          texts={ENVIRONMENT}
          pairs={form.environment}
          isSecret
          hint={NEW_SESSION.environmentHint}
          suggestions={brought}
          problems={problemsBelow(problems, 'environment')}
          onChange={(environment) => onChange({ environment })}
        />
      </Fold>
      <Fold title={NEW_SESSION.tags} count={tags} isForced={hasProblem(['tags'])}>
        <PairEditor
          texts={TAGS}
          pairs={form.tags}
          hint={NEW_SESSION.tagsHint}
          problems={problemsBelow(problems, 'tags')}
          onChange={(changed) => onChange({ tags: changed })}
        />
      </Fold>
      <Fold title={NEW_SESSION.advanced} count={0} isForced={hasProblem(ADVANCED)}>
        <AdvancedFields
          form={form}
          problems={problems}
          scripts={choices.value?.scripts ?? null}
          onChange={onChange}
        />
      </Fold>
      {others.map(([path, text]) => (
        <Notice key={path} tone="danger">
          {text}
        </Notice>
      ))}
      {failure !== null && <ErrorNotice title={NEW_SESSION.failed} error={failure} />}
      <div class="start-actions">
        <Button type="submit" variant="primary" icon="play" busy={isBusy}>
          {NEW_SESSION.submit}
        </Button>
        <span class="field-hint">{NEW_SESSION.submitHint}</span>
      </div>
      {isChoosing && (
        <TemplatesDialog
          profileId={form.profile === '' ? undefined : form.profile}
          onInsert={(text) => {
            onChange({ message: form.message.trim() === '' ? text : `${form.message.trimEnd()}\n\n${text}` });
            setChoosing(false);
          }}
          onClose={() => setChoosing(false)}
        />
      )}
    </form>
  );
}

function repositoryHint({ repository }: StartForm, profile: Profile | null, me: Me | null): string {
  if (repository.trim() !== '' && me?.server.github.credentials === false)
    return NEW_SESSION.repositoryPublic;
  return profile?.repository === undefined ? NEW_SESSION.repositoryHint : NEW_SESSION.repositoryOfProfile;
}

/** Repositories that were worked on, those of the chosen profile first. */
function knownRepositories(profiles: readonly Profile[], chosen: Profile | null): readonly string[] {
  const ordered = chosen === null ? profiles : [chosen, ...profiles.filter((each) => each !== chosen)];
  const known = ordered.flatMap(({ repository, repository_history: history }) => [
    ...(repository === undefined ? [] : [repository]),
    ...history.map(({ url }) => url),
  ]);
  return [...new Set(known)];
}
