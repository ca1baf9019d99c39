import type { Client, Profile } from '@agentapi-proxy/client';
import type { CliContext } from '../cli-context.ts';
import { connect } from './connection.ts';
import { printable } from './desk.ts';
import type { Desk } from './desk.ts';
import { CLIENT_EXIT, CommandFailure, UsageError } from './exit-codes.ts';
import { runClient } from './run-client.ts';
import type { ClientFlags } from './run-client.ts';

/** `client profiles list` */
export async function listProfiles(flags: ClientFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { desk, signal } = run;
    const { client } = await connect(run);
    const profiles = await client.profiles.list({ signal });
    desk.answer({ profiles }, () => (profiles.length === 0 ? ['No profiles'] : profileTable(profiles, desk)));
  });
}

/** `client profiles show PROFILE`: values of variables are not shown to people. */
export async function showProfile(which: string, flags: ClientFlags, context: CliContext): Promise<number> {
  return runClient(flags, context, async (run) => {
    const { client } = await connect(run);
    const profile = await profileOf(client, which, run.signal);
    run.desk.answer(profile, () => profileLines(profile, run.desk));
  });
}

/**
 * A profile by its id, the beginning of it, or its name.
 *
 * @throws CommandFailure when there is none
 * @throws UsageError when several are meant
 */
export async function profileOf(client: Client, which: string, signal: AbortSignal): Promise<Profile> {
  const profiles = await client.profiles.list({ signal });
  const exact = profiles.filter(({ id, name }) => id === which || name === which);
  const found = exact.length > 0 ? exact : profiles.filter(({ id }) => id.startsWith(which));
  const [only] = found;
  if (only === undefined) {
    throw new CommandFailure(
      CLIENT_EXIT.notFound,
      `there is no profile ${JSON.stringify(which)}; agentapi-proxy client profiles list shows them`,
    );
  }
  if (found.length === 1) return only;
  throw new UsageError(
    `${found.length} profiles are called ${JSON.stringify(which)}: ${found.map(({ id }) => id).join(', ')}; give the id`,
  );
}

function profileTable(profiles: readonly Profile[], desk: Desk): readonly string[] {
  const rows = profiles.map((profile) => [
    profile.id,
    profile.name,
    profile.agent ?? '',
    profile.user_id,
    profile.is_default === true ? 'yes' : '',
    profile.description ?? '',
  ]);
  return desk.table([['ID', 'NAME', 'AGENT', 'USER', 'DEFAULT', 'DESCRIPTION'], ...rows]);
}

function profileLines(profile: Profile, { paint }: Desk): readonly string[] {
  const variables = profile.environment_names ?? Object.keys(profile.environment ?? {});
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Profile', profile.id],
    ['Name', profile.name],
    ['Description', profile.description],
    ['User', profile.user_id],
    ['Default', profile.is_default === true ? 'yes' : undefined],
    ['Agent', profile.agent],
    ['Repository', profile.repository],
    ['Variables', variables.join(' ')],
    ['Templates', profile.message_templates.map(({ name }) => name).join(', ')],
    ['System prompt', profile.system_prompt],
    ['Last used', profile.last_used_at],
  ];
  return facts.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${paint.bold(`${name}:`.padEnd(15))} ${printable(value)}`],
  );
}
