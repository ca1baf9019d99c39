import { createClient } from '@agentapi-proxy/client';
import type { Client } from '@agentapi-proxy/client';
import { connectionOf } from '../client/connection.ts';
import { contextFilePath, readContexts } from '../client/contexts.ts';
import type { CliContext } from '../cli-context.ts';
import type { Candidate, TypedOptions, ValueSource } from './complete.ts';

/** Who presses the key waits for the answer; a server that takes longer has none. */
const ANSWER_LIMIT_MS = 1_500;

/** More would not be read. */
const MAX_SESSIONS = 200;

/** Looks values up where the options that are typed so far point to; whatever fails gives no values. */
export function sourceOf(options: TypedOptions, context: CliContext): ValueSource {
  const ask = async (
    question: (client: Client, signal: AbortSignal) => Promise<readonly Candidate[]>,
  ): Promise<readonly Candidate[]> => {
    try {
      // Standard input belongs to the shell.
      const nothing = (): Promise<string> => Promise.resolve('');
      const { endpoint, apiKey } = await connectionOf(options, context, nothing);
      return await question(
        createClient({ baseUrl: endpoint, apiKey }),
        AbortSignal.timeout(ANSWER_LIMIT_MS),
      );
    } catch {
      return [];
    }
  };
  return {
    session: () =>
      ask(async (client, signal) => {
        const { sessions } = await client.search({ state: 'all', limit: MAX_SESSIONS }, { signal });
        return sessions.map(({ session_id: value, state, agent, workspace_name }) => ({
          value,
          description: [state, agent, workspace_name].filter((part) => part !== undefined).join(' '),
        }));
      }),
    profile: () =>
      ask(async (client, signal) =>
        (await client.profiles.list({ signal })).flatMap(({ id, name, description = '' }) => [
          { value: name, description },
          { value: id, description: name },
        ]),
      ),
    context: async () => {
      const file = await readContexts(contextFilePath(context.environment)).catch(() => null);
      return Object.entries(file?.contexts ?? {}).map(([value, { endpoint: description }]) => ({
        value,
        description,
      }));
    },
  };
}
