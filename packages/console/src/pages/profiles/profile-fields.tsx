import type { ComponentChildren } from 'preact';
import type { AgentList, Profile, ScriptList } from '@agentapi-proxy/client';
import { AgentArgumentsField } from '../../components/agent-arguments-field.tsx';
import { Button } from '../../components/button.tsx';
import { Check } from '../../components/field.tsx';
import { PairEditor } from '../../components/pair-editor.tsx';
import { problemsBelow } from '../../components/pairs.ts';
import { choicesOf, OptionalSelectField } from '../../components/select.tsx';
import { TextAreaField, TextField } from '../../components/text-field.tsx';
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
      <TextField
        label={PROFILE.name}
        error={problems.get('name')}
        dir="auto"
        required
        maxLength={200}
        value={form.name}
        onChange={(name) => onChange({ name })}
      />
      <TextAreaField
        label={PROFILE.description}
        hint={PROFILE.descriptionHint}
        error={problems.get('description')}
        rows={2}
        dir="auto"
        value={form.description}
        onChange={(description) => onChange({ description })}
      />
      <Check
        label={PROFILE.isDefault}
        hint={PROFILE.isDefaultHint}
        checked={form.isDefault}
        onChange={(isDefault) => onChange({ isDefault })}
      />
      <div class="profile-columns">
        <OptionalSelectField
          label={PROFILE.agent}
          byDefault={PROFILE.agentDefault}
          choices={choicesOf(agents?.agents.map(({ name }) => name) ?? [])}
          error={problems.get('agent')}
          value={form.agent}
          onChange={(agent) => onChange({ agent })}
        />
        <OptionalSelectField
          label={PROFILE.script}
          byDefault={PROFILE.scriptDefault}
          choices={choicesOf(scripts?.scripts ?? [])}
          error={problems.get('script')}
          value={form.script}
          onChange={(script) => onChange({ script })}
        />
      </div>
      <AgentArgumentsField
        problems={problems}
        value={form.agentArgs}
        onChange={(agentArgs) => onChange({ agentArgs })}
      />
      <TextField
        label={PROFILE.repository}
        hint={PROFILE.repositoryHint}
        error={problems.get('repository')}
        dir="auto"
        isCode
        suggestions={profile?.repository_history.map(({ url }) => url) ?? []}
        value={form.repository}
        onChange={(repository) => onChange({ repository })}
      />
      <TextAreaField
        label={PROFILE.systemPrompt}
        hint={PROFILE.systemPromptHint}
        error={problems.get('system_prompt')}
        rows={6}
        dir="auto"
        value={form.systemPrompt}
        onChange={(systemPrompt) => onChange({ systemPrompt })}
      />
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
