import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findProgram } from '../../agents/find-program.ts';
import type { StartScripts } from '../../agents/start-scripts.ts';
import { TRANSPORTS } from '../../config/agents.ts';
import type { AgentDefinition } from '../../config/agents.ts';

const agentsReply = z
  .object({
    default_agent: z.string().meta({ description: 'Agent of sessions that name none.' }),
    agents: z
      .array(
        z.object({
          name: z.string().meta({ description: 'For `agent` of a start.' }),
          type: z.string().meta({ description: 'How its screen is read, such as `claude`.' }),
          transport: z.enum(TRANSPORTS).meta({
            description: '`pty` = through its terminal; `acp` = the Agent Client Protocol.',
          }),
          installed: z.boolean().meta({
            description: 'Whether its program is there; an environment of a session may find another one.',
          }),
        }),
      )
      .meta({ description: 'In the order in which `default_agent: auto` looks for them.' }),
  })
  .meta({ id: 'Agents' });

const scriptsReply = z
  .object({
    default_script: z.string().meta({
      description: 'Script of sessions that name none; `auto` = by whether there is a repository.',
    }),
    scripts: z.array(z.string()).meta({ description: 'Names for `script` of a start, sorted.' }),
  })
  .meta({ id: 'Scripts' });

export interface StartChoices {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  readonly defaultAgent: () => string;
  /** Value of `PATH` in sessions. */
  readonly searchPath: string;
  readonly scripts: Pick<StartScripts, 'names'>;
  readonly defaultScript: string;
}

/** `GET /start/agents` and `/start/scripts`: what a session can be started with. */
export function startChoiceRoutes(app: FastifyInstance, choices: StartChoices): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    '/start/agents',
    {
      config: { permission: 'session:create' },
      schema: {
        operationId: 'listAgents',
        tags: ['Sessions'],
        summary: 'Lists the agents that sessions can run',
        response: { 200: agentsReply },
      },
    },
    async () => ({
      default_agent: choices.defaultAgent(),
      agents: await Promise.all(
        [...choices.agents.values()].map(async ({ name, type, transport, command, env }) => {
          const lookup = await findProgram(command, env['PATH'] ?? choices.searchPath, process.cwd());
          return { name, type, transport, installed: lookup.kind === 'found' };
        }),
      ),
    }),
  );

  routes.get(
    '/start/scripts',
    {
      config: { permission: 'session:create' },
      schema: {
        operationId: 'listScripts',
        tags: ['Sessions'],
        summary: 'Lists the scripts that agent servers can be started by',
        response: { 200: scriptsReply },
      },
    },
    async () => ({
      default_script: choices.defaultScript,
      scripts: [...(await choices.scripts.names())],
    }),
  );
}
