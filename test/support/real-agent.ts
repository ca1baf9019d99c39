import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Session } from '@agentapi-proxy/client';
import { type AgentProgram, findPart } from '../../tools/src/outside-parts.ts';
import { type ModelReply, type ModelRequest, startModelStandIn } from './model-stand-in.ts';
import type { ServerProcess } from './server-process.ts';

/** What keeps an agent from asking, updating or thinking about anything that is no part of a test. */
const SETTINGS: Readonly<Record<AgentProgram, object>> = {
  gemini: {
    security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
    general: { enableAutoUpdate: false },
    privacy: { usageStatisticsEnabled: false },
  },
  qwen: {
    memory: { enableManagedAutoMemory: false },
    general: { disableAutoUpdate: true },
    privacy: { usageStatisticsEnabled: false },
  },
};

/** How each agent is pointed at a model of our own. */
const VARIABLES: Readonly<Record<AgentProgram, (url: string) => Record<string, string>>> = {
  gemini: (url) => ({ GEMINI_API_KEY: 'stand-in', GOOGLE_GEMINI_BASE_URL: url }),
  qwen: (url) => ({ OPENAI_API_KEY: 'stand-in', OPENAI_BASE_URL: `${url}/v1`, OPENAI_MODEL: 'stand-in' }),
};

/** A session that runs a real agent, and the model that the agent talks to. */
export interface RealAgent extends AsyncDisposable {
  readonly session: Session;
  /** The agent's working directory. */
  readonly workspace: string;
  /** From now on the model gives this answer to this user message; to all others it repeats the message. */
  answers(userText: string, reply: ModelReply): void;
  /** What the users of this agent have said to the model, oldest first, as the model has received it. */
  heard(): readonly string[];
  /** Requests to the model's API that the stand-in did not know. */
  unknownRequests(): readonly string[];
}

/** The PATH of a server whose sessions shall find the installed agents. */
export function pathWithAgents(): string {
  const folders = (['gemini', 'qwen'] as const).flatMap((agent) => findPart(agent) ?? []).map(dirname);
  return [...new Set(folders), process.env['PATH'] ?? ''].join(delimiter);
}

/** Starts a session of `agent` with a home and a model of its own, and waits until it takes messages. */
export async function startRealAgent(server: ServerProcess, agent: AgentProgram): Promise<RealAgent> {
  const home = await mkdtemp(join(server.folder, `${agent}-home-`));
  await mkdir(join(home, `.${agent}`));
  await writeFile(join(home, `.${agent}`, 'settings.json'), JSON.stringify(SETTINGS[agent]));
  const replies = new Map<string, ModelReply>();
  const model = await startModelStandIn({ respond: (request) => answerOf(request, replies) });
  try {
    const session = await server.client.start({
      agent,
      environment: { HOME: home, ...VARIABLES[agent](model.url) },
    });
    await session.waitUntilReady();
    return {
      session,
      workspace: join(server.dataDir, 'sessions', session.id, 'workspace'),
      answers: (userText, reply) => void replies.set(userText, reply),
      heard: () =>
        model.requests
          .filter(({ toolNames, toolResults }) => toolNames.length > 0 && toolResults.length === 0)
          .map(({ userTexts }) => userTexts.at(-1) ?? ''),
      unknownRequests: () => model.unknown,
      [Symbol.asyncDispose]: async () => {
        await model.close();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}

function answerOf({ userTexts, toolResults }: ModelRequest, replies: Map<string, ModelReply>): ModelReply {
  if (toolResults.length > 0) return { parts: [{ text: 'That is done.' }] };
  const text = userTexts.at(-1) ?? '';
  return replies.get(text) ?? { parts: [{ text }] };
}
