import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Principal } from '../../auth/principal.ts';
import { isPersistent } from '../../config/consistency.ts';
import type { Config } from '../../config/schema.ts';
import { repositoryRulesOf } from '../../workspace/create-repositories.ts';
import { principalOf } from '../control-server.ts';

/** agentapi's limit for one file (agentapi section 2.8). */
const MAX_UPLOAD_BYTES = 10 * 1024 * 1024;

const meSchema = z
  .object({
    user_id: z.string().meta({ description: 'Owner of what the caller makes.' }),
    role: z
      .string()
      .meta({ description: '`admin` sees what belongs to others, too; other names change nothing.' }),
    permissions: z.array(z.string()).meta({ description: 'What the caller may do; `*` = everything.' }),
    authentication: z.enum(['on', 'off']).meta({
      description: '`off`: the server asks nobody for a key, and everybody may do everything.',
    }),
    expires_at: z.iso.datetime().optional().meta({
      description: 'When the key or link ends; absent = never.',
    }),
    session_id: z.string().optional().meta({ description: 'The one session that a share link opens.' }),
    credential: z.enum(['none', 'header', 'cookie']).meta({
      description: 'How the caller has come: `none` is needed while authentication is off.',
    }),
    key: z
      .object({
        id: z.string().meta({ description: 'Id of the key or of the link.' }),
        name: z.string().nullable().meta({ description: 'Name of the key; `null` = none.' }),
      })
      .optional()
      .meta({ description: 'Absent for keys of the configuration.' }),
    server: z
      .object({
        version: z.string().meta({ description: 'Of this program, such as `0.1.0`.' }),
        agent_server: z.enum(['embedded', 'external']).meta({
          description: 'The one of this program, or an `agentapi` program.',
        }),
        default_agent: z.string().meta({ description: 'Agent of sessions that name none.' }),
        persistence: z.boolean().meta({ description: 'Whether sessions outlive the server.' }),
        github: z
          .object({
            host: z.string().meta({ description: 'Host of the addresses of repositories.' }),
            credentials: z.boolean().meta({
              description: 'Whether the server has a token or an App for sessions that bring none.',
            }),
          })
          .meta({ description: 'Where repositories come from.' }),
      })
      .meta({ description: 'What this server is and has.' }),
    limits: z
      .object({
        body_bytes: z.int().meta({ description: 'Largest body of the server’s own routes.' }),
        proxied_body_bytes: z
          .int()
          .nullable()
          .meta({ description: 'Largest body passed on to an agent server; `null` = no limit.' }),
        upload_bytes: z.int().meta({ description: 'Largest file that `/upload` of a session takes.' }),
        tags: z.int().meta({ description: 'Most tags of a session.' }),
        tag_key_chars: z.int().meta({ description: 'Longest name of a tag.' }),
        tag_value_chars: z.int().meta({ description: 'Longest value of a tag.' }),
        environment_entries: z.int().meta({ description: 'Most variables in a request.' }),
        environment_bytes: z
          .int()
          .meta({ description: 'Names and values of a request’s variables together.' }),
        queued_messages: z.int().meta({ description: 'Most messages that wait for the agent of a session.' }),
      })
      .meta({ description: 'What requests have to keep to.' }),
  })
  .meta({ id: 'Me' });

type Me = z.infer<typeof meSchema>;

/** What everybody is told about the server. */
export interface ServerFacts {
  readonly authentication: Me['authentication'];
  readonly server: Omit<Me['server'], 'default_agent'>;
  readonly defaultAgent: () => string;
  readonly limits: Me['limits'];
}

/** `GET /me`: who the server takes the caller for, and what they have to know to ask for something. */
export function meRoute(app: FastifyInstance, facts: ServerFacts): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/me',
    {
      config: { permission: 'authenticated' },
      schema: {
        operationId: 'getMe',
        tags: ['Server'],
        summary: 'Shows whom the server takes the caller for, and what they can ask of it',
        response: { 200: meSchema },
      },
    },
    (request) => ({
      ...callerOf(principalOf(request), facts.authentication),
      server: { ...facts.server, default_agent: facts.defaultAgent() },
      limits: facts.limits,
    }),
  );
}

/** The facts of a configuration. */
export function serverFacts(
  config: Config,
  server: { readonly version: string; readonly agentServer: 'embedded' | 'external' },
  defaultAgent: () => string,
): ServerFacts {
  const { limits, github } = config;
  return {
    authentication: config.auth.enabled ? 'on' : 'off',
    defaultAgent,
    server: {
      version: server.version,
      agent_server: server.agentServer,
      persistence: isPersistent(config),
      github: {
        host: repositoryRulesOf(config, () => false).host,
        credentials: github.token !== null || github.app_id !== null,
      },
    },
    limits: {
      body_bytes: limits.body_bytes,
      proxied_body_bytes: Number.isFinite(limits.proxied_body_bytes) ? limits.proxied_body_bytes : null,
      upload_bytes: Math.min(MAX_UPLOAD_BYTES, limits.proxied_body_bytes),
      tags: limits.tags,
      tag_key_chars: limits.tag_key_chars,
      tag_value_chars: limits.tag_value_chars,
      environment_entries: limits.environment_entries,
      environment_bytes: limits.environment_bytes,
      queued_messages: limits.queued_messages,
    },
  };
}

function callerOf(principal: Principal, authentication: Me['authentication']): Omit<Me, 'server' | 'limits'> {
  const { userId, role, permissions, expiresAt, linkedSession, keyId, keyName, byCookie } = principal;
  const shown = byCookie === undefined ? 'header' : 'cookie';
  return {
    user_id: userId,
    role,
    permissions: [...permissions],
    authentication,
    ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() }),
    ...(linkedSession === undefined ? {} : { session_id: linkedSession }),
    credential: authentication === 'off' ? 'none' : shown,
    ...(keyId === undefined ? {} : { key: { id: keyId, name: keyName ?? null } }),
  };
}
