import { AppError } from '../errors.ts';
import type { Profile } from './profile.ts';
import { findTemplate, renderTemplate } from './template.ts';

/** What a profile and the body of a start have in common, with the names of the wire. */
export interface StartMembers {
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly message?: string | undefined;
  readonly repository?: string | undefined;
  readonly agent?: string | undefined;
  readonly agent_args?: readonly string[] | undefined;
  readonly script?: string | undefined;
}

/** What a start takes from a profile or the request; absent = neither says anything. */
export interface MergedMembers {
  environment: Record<string, string>;
  tags: Record<string, string>;
  agent?: string;
  agent_args?: string[];
  script?: string;
}

/**
 * The body of a start: the request on top of the profile (PX-205). Variables are merged one by one; tags and
 * message are the request's, except that a request without a repository gets the profile's. The profile's
 * arguments are for its own agent: a request that names another one, or arguments, does without them.
 */
export function mergeStart<Request extends StartMembers>(
  profile: Profile,
  request: Request,
): Request & MergedMembers {
  const agent = request.agent ?? profile.agent;
  const isProfilesAgent = profile.agent === null || profile.agent === agent;
  const script = request.script ?? profile.script;
  const args = request.agent_args ?? (isProfilesAgent ? profile.agentArgs : []);
  const hasProfilesRepository = profile.repository !== null && request.repository === undefined;
  return {
    ...request,
    environment: { ...profile.environment, ...request.environment },
    tags: { ...(hasProfilesRepository ? { repository: profile.repository } : {}), ...request.tags },
    ...(agent === null ? {} : { agent }),
    ...(args.length === 0 ? {} : { agent_args: [...args] }),
    ...(script === null ? {} : { script }),
  };
}

/** How a request asks for one of the profile's messages. */
export interface TemplateChoice {
  /** Id or name. */
  readonly template: string | undefined;
  readonly variables: Readonly<Record<string, string>> | undefined;
  /** Whether the request brings a message of its own. */
  readonly hasMessage: boolean;
}

/**
 * The message that a request wants from the profile's templates; `null` when it wants none.
 * @throws AppError `invalid_template` for variables without a template, a template beside a message, an unknown
 * template, and variables that do not fit it.
 */
export function templateMessage(profile: Profile, choice: TemplateChoice): string | null {
  const { template, variables, hasMessage } = choice;
  if (template === undefined) {
    if (variables === undefined) return null;
    throw new AppError('invalid_template', {
      message: 'variables needs template, the id or name of a template of the profile',
      details: { field: 'variables' },
    });
  }
  if (hasMessage) {
    throw new AppError('invalid_template', {
      message: 'template and message exclude each other: name a template or give a message',
      details: { field: 'template' },
    });
  }
  return renderTemplate(findTemplate(profile.messageTemplates, template), variables ?? {});
}
