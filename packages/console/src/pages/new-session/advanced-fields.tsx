import type { ScriptList } from '@agentapi-proxy/client';
import { Field } from '../../components/field.tsx';
import { useConsole } from '../../console-context.ts';
import { NEW_SESSION } from '../../texts/new-session.ts';
import type { Problems, StartForm } from './start-form.ts';

interface AdvancedFieldsProps {
  readonly form: StartForm;
  readonly problems: Problems;
  /** `null` while they are fetched. */
  readonly scripts: ScriptList | null;
  readonly onChange: (change: Partial<StartForm>) => void;
}

/** What few people ever change. */
export function AdvancedFields({ form, problems, scripts, onChange }: AdvancedFieldsProps) {
  const { auth } = useConsole();
  const names = scripts?.scripts ?? [];
  const isUnknown = form.script !== '' && !names.includes(form.script);
  return (
    <>
      <div class="start-columns">
        <Field label={NEW_SESSION.ref} hint={NEW_SESSION.refHint} error={problems.get('ref')}>
          {(control) => (
            <input
              {...control}
              class="input"
              autocapitalize="off"
              spellcheck={false}
              value={form.ref}
              onInput={(event) => onChange({ ref: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field label={NEW_SESSION.depth} hint={NEW_SESSION.depthHint} error={problems.get('depth')}>
          {(control) => (
            <input
              {...control}
              class="input"
              inputMode="numeric"
              value={form.depth}
              onInput={(event) => onChange({ depth: event.currentTarget.value })}
            />
          )}
        </Field>
      </div>
      <Field
        label={NEW_SESSION.githubToken}
        hint={NEW_SESSION.githubTokenHint}
        error={problems.get('github_token')}
      >
        {(control) => (
          <input
            {...control}
            class="input mono"
            type="password"
            autocomplete="new-password"
            value={form.githubToken}
            onInput={(event) => onChange({ githubToken: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={NEW_SESSION.script} hint={NEW_SESSION.scriptHint} error={problems.get('script')}>
        {(control) => (
          <select
            {...control}
            class="input"
            value={form.script}
            onChange={(event) => onChange({ script: event.currentTarget.value })}
          >
            <option value="">{NEW_SESSION.scriptDefault(scripts?.default_script ?? '…')}</option>
            {isUnknown && <option value={form.script}>{form.script}</option>}
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label={NEW_SESSION.agentArgs}
        hint={NEW_SESSION.agentArgsHint}
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
      {auth.isAdmin && (
        <Field label={NEW_SESSION.owner} hint={NEW_SESSION.ownerHint} error={problems.get('user_id')}>
          {(control) => (
            <input
              {...control}
              class="input"
              autocapitalize="off"
              spellcheck={false}
              value={form.owner}
              onInput={(event) => onChange({ owner: event.currentTarget.value })}
            />
          )}
        </Field>
      )}
    </>
  );
}
