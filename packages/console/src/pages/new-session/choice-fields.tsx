import type { AgentList, Profile } from '@agentapi-proxy/client';
import { ErrorNotice } from '../../components/notice.tsx';
import { OptionalSelectField } from '../../components/select.tsx';
import { useConsole } from '../../console-context.ts';
import { NEW_SESSION } from '../../texts/new-session.ts';
import { COMMON } from '../../texts/common.ts';

interface ProfileFieldProps {
  /** `null` while they are fetched. */
  readonly profiles: readonly Profile[] | null;
  readonly error: unknown;
  readonly problem: string | undefined;
  readonly value: string;
  readonly canList: boolean;
  readonly onChange: (id: string) => void;
  readonly onRetry: () => void;
}

/** Chooses a profile; not there for those who have none to choose from. */
export function ProfileField(props: ProfileFieldProps) {
  const { profiles, error, problem, value, canList, onChange, onRetry } = props;
  const { auth } = useConsole();
  if (!canList && value === '') return null;
  if (error !== null && profiles === null)
    return <ErrorNotice title={NEW_SESSION.profilesFailed} error={error} onRetry={onRetry} />;
  const known = profiles ?? [];
  const chosen = known.find(({ id }) => id === value);
  const nameOf = ({ name, is_default: isDefault, user_id: owner }: Profile): string => {
    if (owner !== auth.me?.user_id) return `${name} (${owner})`;
    return isDefault === true ? NEW_SESSION.defaultProfile(name) : name;
  };
  return (
    <OptionalSelectField
      label={NEW_SESSION.profile}
      hint={chosen === undefined ? undefined : <bdi>{NEW_SESSION.fromProfile(bringsOf(chosen))}</bdi>}
      error={problem}
      byDefault={NEW_SESSION.noProfile}
      choices={known.map((profile) => ({ value: profile.id, text: nameOf(profile) }))}
      value={value}
      unknown={profiles === null ? COMMON.loading : NEW_SESSION.unknownProfile}
      onChange={onChange}
    />
  );
}

interface AgentFieldProps {
  /** `null` while they are fetched. */
  readonly agents: AgentList | null;
  /** The chosen profile, which may bring an agent. */
  readonly profile: Profile | null;
  readonly problem: string | undefined;
  readonly value: string;
  readonly onChange: (name: string) => void;
}

/** Chooses an agent, or leaves it to the profile or the server. */
export function AgentField({ agents, profile, problem, value, onChange }: AgentFieldProps) {
  const { auth } = useConsole();
  const known = agents?.agents ?? [];
  const byDefault = agents?.default_agent ?? auth.me?.server.default_agent ?? '';
  const chosen = known.find(({ name }) => name === (value === '' ? (profile?.agent ?? byDefault) : value));
  return (
    <OptionalSelectField
      label={NEW_SESSION.agent}
      hint={chosen?.installed === false ? NEW_SESSION.agentMissing : undefined}
      error={problem}
      byDefault={
        profile?.agent === undefined
          ? NEW_SESSION.agentDefault(byDefault)
          : NEW_SESSION.agentOfProfile(profile.agent)
      }
      choices={known.map(({ name, installed, transport }) => ({
        value: name,
        text: NEW_SESSION.agentOption(name, installed, transport === 'acp'),
      }))}
      value={value}
      onChange={onChange}
    />
  );
}

/** The variables of a profile; their values are for nobody to see. */
export function variableNames({ environment, environment_names: names }: Profile): readonly string[] {
  return names ?? Object.keys(environment ?? {});
}

/** What a session gets from a profile, in words. */
function bringsOf(profile: Profile): string {
  const { brings } = NEW_SESSION;
  const count = variableNames(profile).length;
  const parts = [
    profile.agent === undefined ? [] : [brings.agent(profile.agent)],
    profile.repository === undefined ? [] : [brings.repository(profile.repository)],
    profile.script === undefined ? [] : [brings.script(profile.script)],
    count === 0 ? [] : [brings.variables(count)],
    profile.system_prompt === '' ? [] : [brings.systemPrompt],
  ].flat();
  return parts.length === 0 ? brings.nothing : parts.join(', ');
}
