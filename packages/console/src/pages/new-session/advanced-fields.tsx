import type { ScriptList } from '@agentapi-proxy/client';
import { AgentArgumentsField } from '../../components/agent-arguments-field.tsx';
import { choicesOf, OptionalSelectField } from '../../components/select.tsx';
import { TextField } from '../../components/text-field.tsx';
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
  return (
    <>
      <div class="start-columns">
        <TextField
          label={NEW_SESSION.ref}
          hint={NEW_SESSION.refHint}
          error={problems.get('ref')}
          isCode
          value={form.ref}
          onChange={(ref) => onChange({ ref })}
        />
        <TextField
          label={NEW_SESSION.depth}
          hint={NEW_SESSION.depthHint}
          error={problems.get('depth')}
          inputMode="numeric"
          value={form.depth}
          onChange={(depth) => onChange({ depth })}
        />
      </div>
      <TextField
        label={NEW_SESSION.githubToken}
        hint={NEW_SESSION.githubTokenHint}
        error={problems.get('github_token')}
        class="mono"
        type="password"
        autocomplete="new-password"
        value={form.githubToken}
        onChange={(githubToken) => onChange({ githubToken })}
      />
      <OptionalSelectField
        label={NEW_SESSION.script}
        hint={NEW_SESSION.scriptHint}
        error={problems.get('script')}
        byDefault={NEW_SESSION.scriptDefault(scripts?.default_script ?? '…')}
        choices={choicesOf(scripts?.scripts ?? [])}
        value={form.script}
        onChange={(script) => onChange({ script })}
      />
      <AgentArgumentsField
        problems={problems}
        value={form.agentArgs}
        onChange={(agentArgs) => onChange({ agentArgs })}
      />
      {auth.isAdmin && (
        <TextField
          label={NEW_SESSION.owner}
          hint={NEW_SESSION.ownerHint}
          error={problems.get('user_id')}
          isCode
          value={form.owner}
          onChange={(owner) => onChange({ owner })}
        />
      )}
    </>
  );
}
