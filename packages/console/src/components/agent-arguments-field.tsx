import { AGENT_ARGUMENTS } from '../texts/forms.ts';
import { TextAreaField } from './text-field.tsx';

interface AgentArgumentsFieldProps {
  /** What is wrong, by the path of the member as the API names it. */
  readonly problems: ReadonlyMap<string, string>;
  /** One argument a line. */
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** What an agent is started with besides what it always gets. */
export function AgentArgumentsField({ problems, value, onChange }: AgentArgumentsFieldProps) {
  return (
    <TextAreaField
      label={AGENT_ARGUMENTS.label}
      hint={AGENT_ARGUMENTS.hint}
      error={[...problems].find(([path]) => path.split('.', 1)[0] === 'agent_args')?.[1]}
      class="mono"
      rows={2}
      isCode
      value={value}
      onChange={onChange}
    />
  );
}
