import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually, startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { ask, errorOf, getSession, jsonRequest, messagesOf, remove, untilState } from '../support/wire.ts';

const PROMPT = 'Answer in German.';

const profileReply = z.object({
  profile: z.looseObject({
    id: z.string(),
    last_used_at: z.iso.datetime().optional(),
    updated_at: z.iso.datetime(),
    repository_history: z.array(z.looseObject({ id: z.string(), url: z.string(), accessed_at: z.string() })),
  }),
});
type Profile = z.infer<typeof profileReply>['profile'];

/** Writes its arguments into the workspace and waits: an agent for what is decided before an agent speaks. */
const RECORDER = [
  '-c',
  'printf "%s\\n" "$@" > arguments.partial; mv arguments.partial arguments; exec cat',
  'sh',
];

describe('POST /start-with-profile', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const types = ['claude', 'codex', 'gemini', 'aider', 'amazonq', 'cursor', 'goose'] as const;
    server = await startServer({
      config: {
        agents: Object.fromEntries(
          types.map((type) => [`${type}-like`, { command: 'sh', args: RECORDER, type }]),
        ),
      },
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  async function create(body: object): Promise<Profile> {
    const response = await server.request('/profiles', jsonRequest({ name: 'p', ...body }));
    expect(response.status).toBe(201);
    return profileReply.parse(await response.json()).profile;
  }

  async function read(id: string): Promise<Profile> {
    return profileReply.parse(await (await server.request(`/profiles/${id}`)).json()).profile;
  }

  async function startWith(body: object): Promise<string> {
    const response = await server.request('/start-with-profile', jsonRequest(body));
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status: 200 });
    return z.strictObject({ session_id: z.uuidv4() }).parse(JSON.parse(text)).session_id;
  }

  /** The first message that the agent got. */
  async function firstMessage(id: string): Promise<string | undefined> {
    await eventually('the first message is delivered', async () => {
      const { initial_message: message } = await getSession(server, id);
      return message?.state === 'delivered';
    });
    return (await messagesOf(server, id)).find(({ role }) => role === 'user')?.content;
  }

  async function inWorkspace(id: string, path: string): Promise<string> {
    return readFile(join(server.dataDir, 'sessions', id, 'workspace', path), 'utf8');
  }

  async function argumentsOf(id: string): Promise<string> {
    return eventually('the agent has written its arguments', () =>
      inWorkspace(id, 'arguments').catch(() => undefined),
    );
  }

  test('PX-204, PX-205: answers 200 with the id of a session that has both environments, the request’s on top', async () => {
    const { id } = await create({ environment: { SHARED: 'of the profile', PROFILE: 'p-value' } });
    const session = await startWith({
      profile_id: id,
      environment: { SHARED: 'of the request', REQUEST: 'r-value' },
    });
    expect(await ask(server, session, '/run printenv SHARED PROFILE REQUEST')).toMatch(
      /of the request\s+p-value\s+r-value/,
    );
    expect((await getSession(server, session)).environment_names.toSorted()).toEqual([
      'PROFILE',
      'REQUEST',
      'SHARED',
    ]);
    await remove(server, session);
  });

  test('PX-205: tags and message are the request’s', async () => {
    const { id } = await create({ description: 'not a tag', environment: { A: '1' } });
    const session = await startWith({ profile_id: id, tags: { k: 'v' }, message: 'Hello from the request' });
    expect(await getSession(server, session)).toMatchObject({ tags: { k: 'v' }, user_id: 'anonymous' });
    expect(await firstMessage(session)).toBe('Hello from the request');
    await remove(server, session);
  });

  test('members without effect are named', async () => {
    const { id } = await create({});
    const response = await server.request(
      '/start-with-profile',
      jsonRequest({ profile_id: id, metadata: {}, template: undefined }),
    );
    expect(response.headers.get('x-ignored-members')).toBe('metadata');
    const { session_id: session } = z.object({ session_id: z.string() }).parse(await response.json());
    await remove(server, session);
  });

  test('PX-206: last_used_at is set', async () => {
    const made = await create({});
    expect(made).not.toHaveProperty('last_used_at');
    const session = await startWith({ profile_id: made.id });
    const used = await read(made.id);
    expect(Date.parse(used.last_used_at ?? '')).toBeGreaterThanOrEqual(Date.parse(made.updated_at));
    expect(used.updated_at).toBe(used.last_used_at);
    await remove(server, session);
  });

  test('the repository of the session is noted once, whatever form its address has', async () => {
    const { id } = await create({
      repository: 'owner/of-profile',
      repository_history: [{ url: 'git@github.com:Owner/other.git', name: 'mine' }],
    });
    const sessions = [
      await startWith({ profile_id: id }),
      await startWith({ profile_id: id, tags: { repository: 'owner/other', branch: 'next' } }),
      await startWith({ profile_id: id, tags: { repository: 'https://github.com/owner/of-profile.git' } }),
    ];
    expect((await read(id)).repository_history).toMatchObject([
      { url: 'git@github.com:Owner/other.git', name: 'mine', branch: 'next' },
      { url: 'https://github.com/owner/of-profile', name: 'owner/of-profile' },
    ]);
    for (const session of sessions) await remove(server, session);
  });

  test('a template becomes the first message', async () => {
    const { id } = await create({
      message_templates: [{ name: 'greet', content: 'Hello {{who}}, {{ who }}!' }],
    });
    const session = await startWith({ profile_id: id, template: 'greet', variables: { who: 'World' } });
    expect(await firstMessage(session)).toBe('Hello World, World!');
    await remove(server, session);
  });

  test('the default profile is the one of a start that names none', async () => {
    const { id } = await create({ environment: { FROM_DEFAULT: 'yes' }, is_default: true });
    const session = await startWith({});
    expect((await getSession(server, session)).environment_names).toEqual(['FROM_DEFAULT']);
    await remove(server, session);
    await server.request(`/profiles/${id}`, { method: 'DELETE' });
    const error = await errorOf(await server.request('/start-with-profile', jsonRequest({})));
    expect(error).toMatchObject({ status: 400, message: 'Profile ID is required' });
  });

  test('agent and arguments of the profile', async () => {
    const { id } = await create({ agent: 'goose-like', agent_args: ['--one', 'two'] });
    const session = await startWith({ profile_id: id });
    expect(await getSession(server, session)).toMatchObject({ agent: 'goose-like', profile_id: id });
    expect(await argumentsOf(session)).toBe('--one\ntwo\n');
    const other = await startWith({ profile_id: id, agent: 'codex-like' });
    expect(await argumentsOf(other)).toBe('\n');
    await remove(server, session);
    await remove(server, other);
  });

  test('PX-207: an agent without a place for it gets the system prompt before its first message', async () => {
    const { id } = await create({ system_prompt: PROMPT });
    const session = await startWith({ profile_id: id, message: 'Hello' });
    const alone = await startWith({ profile_id: id });
    expect(await firstMessage(session)).toBe(`${PROMPT}\n\nHello`);
    expect(await firstMessage(alone)).toBe(PROMPT);
    await remove(server, session);
    await remove(server, alone);
  });

  test('PX-207: claude gets it as a flag, before the arguments of the request', async () => {
    const { id } = await create({ agent: 'claude-like', system_prompt: `${PROMPT} "$HOME" \`id\`` });
    const session = await startWith({ profile_id: id, agent_args: ['--mine'] });
    expect(await argumentsOf(session)).toBe(`--append-system-prompt=${PROMPT} "$HOME" \`id\`\n--mine\n`);
    expect((await getSession(server, session)).initial_message).toBeUndefined();
    await remove(server, session);
  });

  test.each([
    ['codex', 'AGENTS.md', '\n'],
    ['gemini', 'GEMINI.md', '\n'],
    ['goose', '.goosehints', '\n'],
    ['amazonq', '.amazonq/rules/agentapi-proxy.md', '\n'],
    ['cursor', '.cursor/rules/agentapi-proxy.mdc', '\n'],
    ['aider', '.aider.system-prompt.md', '--read\n.aider.system-prompt.md\n'],
  ])('PX-207: %s finds it in %s before it starts', async (type, path, args) => {
    const { id } = await create({ agent: `${type}-like`, system_prompt: PROMPT });
    const session = await startWith({ profile_id: id });
    expect(await argumentsOf(session)).toBe(args);
    expect(await inWorkspace(session, path)).toContain(`${PROMPT}\n`);
    await remove(server, session);
  });

  test('PX-212: a running session does not notice that its profile changes or goes', async () => {
    const { id } = await create({ environment: { COLOUR: 'blue' } });
    const session = await startWith({ profile_id: id });
    const change = {
      ...jsonRequest({ environment: { COLOUR: 'red' }, system_prompt: PROMPT }),
      method: 'PUT',
    };
    expect((await server.request(`/profiles/${id}`, change)).status).toBe(200);
    expect(await ask(server, session, '/run printenv COLOUR')).toContain('blue');
    await server.request(`/profiles/${id}`, { method: 'DELETE' });
    expect(await getSession(server, session)).toMatchObject({ profile_id: id });
    expect(await ask(server, session, '/run printenv COLOUR')).toContain('blue');
    await untilState(server, session, 'running');
    await remove(server, session);
  });

  test('no log line has a value of a profile', async () => {
    const { id } = await create({
      environment: { A: 'canary-of-a-profile' },
      system_prompt: 'canary-prompt',
    });
    const session = await startWith({ profile_id: id });
    await untilState(server, session, 'running');
    await remove(server, session);
    expect(server.output()).not.toContain('canary-');
  });
});
