import type { ComponentChildren } from 'preact';
import type { AgentList, Profile, ScriptList } from '@agentapi-proxy/client';
import { Button } from '../../components/button.tsx';
import { Check, Field } from '../../components/field.tsx';
import { PairEditor } from '../../components/pair-editor.tsx';
import { problemsBelow } from '../../components/pairs.ts';
import { ENVIRONMENT } from '../../texts/forms.ts';
import { PROFILE } from '../../texts/profiles.ts';
import type { ProfileForm, ProfileProblems } from './profile-form.ts';
import { TemplateEditor } from './template-editor.tsx';

interface ProfileFieldsProps {
  readonly form: ProfileForm;
  /** The profile that is changed; `null` for a new one. */
  readonly profile: Profile | null;
  readonly problems: ProfileProblems;
  /** What this server has to choose from; `null` while it is not known. */
  readonly agents: AgentList | null;
  readonly scripts: ScriptList | null;
  readonly onChange: (change: Partial<ProfileForm>) => void;
}

/** Everything that a profile can say. */
export function ProfileFields({ form, profile, problems, agents, scripts, onChange }: ProfileFieldsProps) {
  return (
    <>
      <Field label={PROFILE.name} error={problems.get('name')}>
        {(control) => (
          <input
            {...control}
            class="input"
            dir="auto"
            required
            maxLength={200}
            value={form.name}
            onInput={(event) => onChange({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={PROFILE.description} hint={PROFILE.descriptionHint} error={problems.get('description')}>
        {(control) => (
          <textarea
            {...control}
            class="input"
            rows={2}
            dir="auto"
            value={form.description}
            onInput={(event) => onChange({ description: event.currentTarget.value })}
          />
        )}
      </Field>
      <Check
        label={PROFILE.isDefault}
        hint={PROFILE.isDefaultHint}
        checked={form.isDefault}
        onChange={(isDefault) => onChange({ isDefault })}
      />
      <div class="profile-columns">
        <ChoiceField
          label={PROFILE.agent}
          byDefault={PROFILE.agentDefault}
          names={agents?.agents.map(({ name }) => name) ?? []}
          error={problems.get('agent')}
          value={form.agent}
          onChange={(agent) => onChange({ agent })}
        />
        <ChoiceField
          label={PROFILE.script}
          byDefault={PROFILE.scriptDefault}
          names={scripts?.scripts ?? []}
          error={problems.get('script')}
          value={form.script}
          onChange={(script) => onChange({ script })}
        />
      </div>
      <Field
        label={PROFILE.agentArgs}
        hint={PROFILE.agentArgsHint}
        error={[...problems].find(([path]) => path.split('.', 1)[0] === 'agent_args')?.[1]}
      >
        {(control) => (
          <textarea
            {...control}
            class="input mono"
            rows={2}
            autocapitalize="off"
            spellcheck={false}
            value={form.agentArgs}
            onInput={(event) => onChange({ agentArgs: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={PROFILE.repository} hint={PROFILE.repositoryHint} error={problems.get('repository')}>
        {(control) => (
          <>
            <input
              {...control}
              class="input"
              dir="auto"
              autocapitalize="off"
              spellcheck={false}
              list={`${control.id}-known`}
              value={form.repository}
              onInput={(event) => onChange({ repository: event.currentTarget.value })}
            />
            <datalist id={`${control.id}-known`}>
              {profile?.repository_history.map(({ url }) => (
                <option key={url} value={url} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field
        label={PROFILE.systemPrompt}
        hint={PROFILE.systemPromptHint}
        error={problems.get('system_prompt')}
      >
        {(control) => (
          <textarea
            {...control}
            class="input"
            rows={6}
            dir="auto"
            value={form.systemPrompt}
            onInput={(event) => onChange({ systemPrompt: event.currentTarget.value })}
          />
        )}
      </Field>
      <Section id="profile-environment" title={PROFILE.environment}>
        <EnvironmentFields form={form} profile={profile} problems={problems} onChange={onChange} />
      </Section>
      <Section id="profile-templates" title={PROFILE.templates} hint={PROFILE.templatesHint}>
        <TemplateEditor
          templates={form.templates}
          problems={problems}
          onChange={(templates) => onChange({ templates })}
        />
      </Section>
    </>
  );
}

interface SectionProps {
  readonly id: string;
  readonly title: string;
  readonly hint?: string;
  readonly children: ComponentChildren;
}

function Section({ id, title, hint, children }: SectionProps) {
  return (
    <section class="profile-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {hint !== undefined && <p class="field-hint">{hint}</p>}
      {children}
    </section>
  );
}

interface EnvironmentFieldsProps {
  readonly form: ProfileForm;
  readonly profile: Profile | null;
  readonly problems: ProfileProblems;
  readonly onChange: (change: Partial<ProfileForm>) => void;
}

/** Variables: the owner changes them one by one; others can only put all of them in the place of those before. */
function EnvironmentFields({ form, profile, problems, onChange }: EnvironmentFieldsProps) {
  const names = profile?.environment_names ?? [];
  const isForeign = profile !== null && profile.environment === undefined;
  if (form.environment === null) {
    return (
      <>
        {names.length === 0 ? (
          <p class="muted">{PROFILE.environmentNone}</p>
        ) : (
          <ul class="variable-names">
            {names.map((name) => (
              <li key={name} class="mono">
                <bdi>{name}</bdi>
              </li>
            ))}
          </ul>
        )}
        <p class="field-hint">{PROFILE.environmentForeign}</p>
        <div>
          <Button size="small" onClick={() => onChange({ environment: [] })}>
            {PROFILE.replaceAll}
          </Button>
        </div>
      </>
    );
  }
  return (
    <>
      <PairEditor
        texts={ENVIRONMENT}
        pairs={form.environment}
        isSecret
        hint={PROFILE.environmentHint}
        problems={problemsBelow(problems, 'environment')}
        suggestions={names}
        onChange={(environment) => onChange({ environment })}
      />
      {isForeign && (
        <div>
          <Button size="small" onClick={() => onChange({ environment: null })}>
            {PROFILE.keepAll}
          </Button>
        </div>
      )}
    </>
  );
}

interface ChoiceFieldProps {
  readonly label: string;
  /** What is said by choosing nothing. */
  readonly byDefault: string;
  readonly names: readonly string[];
  readonly error: string | undefined;
  readonly value: string;
  readonly onChange: (name: string) => void;
}

function ChoiceField({ label, byDefault, names, error, value, onChange }: ChoiceFieldProps) {
  return (
    <Field label={label} error={error}>
      {(control) => (
        <select
          {...control}
          class="input"
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          <option value="">{byDefault}</option>
          {value !== '' && !names.includes(value) && <option value={value}>{value}</option>}
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
