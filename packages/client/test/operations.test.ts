import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { ClientError, createClient, type Client, type Session } from '../src/index.ts';
import { TestProxy } from './test-proxy.ts';

const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
});

/** Which method makes an operation's request, and a call of it. */
interface Method {
  readonly name: string;
  readonly call: (client: Client, session: Session) => Promise<unknown>;
}

const method = (name: string, call: Method['call']): Method => ({ name, call });

const METHODS: Readonly<Record<string, Method>> = {
  getHealth: method('Client.health', (client) => client.health()),
  getLiveness: method('Client.live', (client) => client.live()),
  getReadiness: method('Client.ready', (client) => client.ready()),
  getVersion: method('Client.version', (client) => client.version()),
  getMe: method('Client.me', (client) => client.me()),
  getOpenApiDocument: method('Client.openApiDocument', (client) => client.openApiDocument()),
  getReference: method('Client.reference', (client) => client.reference()),
  startSession: method('Client.start', (client) => client.start()),
  startSessionWithProfile: method('Client.startWithProfile', (client) => client.startWithProfile()),
  searchSessions: method('Client.search', (client) => client.search({ state: 'all', limit: 5 })),
  getSession: method('Session.details', (_client, session) => session.details()),
  getSessionLog: method('Session.log', (_client, session) => session.log({ lines: 3 })),
  resumeSession: method('Session.resume', (_client, session) => session.resume()),
  deleteSession: method('Session.delete', (_client, session) => session.delete()),
  streamEvents: method('Client.events', (client) => client.events().next()),
  searchMessages: method('Client.searchMessages', (client) => client.searchMessages('x')),
  streamSessionEvents: method('SessionConversation.events', (_client, { conversation }) =>
    conversation.events().next(),
  ),
  readConversation: method('SessionConversation.messages', (_client, { conversation }) =>
    conversation.messages({ limit: 3 }),
  ),
  queueMessage: method('SessionConversation.queue', (_client, { conversation }) => conversation.queue('x')),
  listQueue: method('SessionConversation.queued', (_client, { conversation }) => conversation.queued()),
  getQueuedMessage: method('SessionConversation.queuedMessage', (_client, { conversation }) =>
    conversation.queuedMessage('x'),
  ),
  editQueuedMessage: method('SessionConversation.edit', (_client, { conversation }) =>
    conversation.edit('x', 'y'),
  ),
  cancelQueuedMessage: method('SessionConversation.cancel', (_client, { conversation }) =>
    conversation.cancel('x'),
  ),
  waitForSession: method('SessionConversation.wait', (_client, { conversation }) =>
    conversation.wait('stable'),
  ),
  getGitStatus: method('SessionGit.status', (_client, { git }) => git.status()),
  getGitDiff: method('SessionGit.diff', (_client, { git }) => git.diff({ path: 'src' })),
  pushGitBranch: method('SessionGit.push', (_client, { git }) => git.push()),
  openPullRequest: method('SessionGit.openPullRequest', (_client, { git }) =>
    git.openPullRequest({ title: 't' }),
  ),
  listSessionShares: method('SessionShares.list', (_client, { shares }) => shares.list()),
  shareSession: method('SessionShares.grant', (_client, { shares }) =>
    shares.grant({ user_id: 'bob', access: 'read' }),
  ),
  createShareLink: method('SessionShares.createLink', (_client, { shares }) => shares.createLink()),
  revokeSessionShare: method('SessionShares.revoke', (_client, { shares }) => shares.revoke('x')),
  readMetrics: method('Client.metrics', (client) => client.metrics()),
  listAgents: method('Client.agents', (client) => client.agents()),
  listScripts: method('Client.scripts', (client) => client.scripts()),
  signIn: method('Client.signIn', (client) => client.signIn('a-key')),
  signOut: method('Client.signOut', (client) => client.signOut()),
  listProfiles: method('Profiles.list', ({ profiles }) => profiles.list()),
  getProfile: method('Profiles.get', ({ profiles }) => profiles.get('x')),
  createProfile: method('Profiles.create', ({ profiles }) => profiles.create({ name: 'x' })),
  updateProfile: method('Profiles.update', ({ profiles }) => profiles.update('x', {})),
  deleteProfile: method('Profiles.delete', ({ profiles }) => profiles.delete('x')),
  addProfileRepository: method('Profiles.addRepository', ({ profiles }) => profiles.addRepository('x', {})),
  addProfileTemplate: method('Profiles.addTemplate', ({ profiles }) => profiles.addTemplate('x', {})),
  listApiKeys: method('ApiKeys.list', ({ apiKeys }) => apiKeys.list()),
  createApiKey: method('ApiKeys.create', ({ apiKeys }) => apiKeys.create()),
  rotateApiKey: method('ApiKeys.rotate', ({ apiKeys }) => apiKeys.rotate('x')),
  revokeApiKey: method('ApiKeys.revoke', ({ apiKeys }) => apiKeys.revoke('x')),
  readAudit: method('AuditLog.list', ({ audit }) => audit.list()),
  agentGetStatus: method('Session.status', (_client, session) => session.status()),
  agentGetMessages: method('Session.messages', (_client, session) => session.messages()),
  agentPostMessage: method('Session.send', (_client, session) => session.send('Hi')),
  agentPostUpload: method('Session.upload', (_client, session) => session.upload('a.txt', 'a')),
  agentSubscribeEvents: method('Session.events', (_client, session) =>
    session.events({ reconnect: false })[Symbol.asyncIterator]().next(),
  ),
};

/** What is made of the others: no operation of its own. */
const COMBINED: readonly string[] = [
  'Client.session',
  'Client.get',
  'Client.log',
  'Client.delete',
  'Client.searchAll',
  'Session.sendRaw',
  'Session.sendAndWait',
  'Session.waitUntilReady',
  'AuditLog.listAll',
  'SessionConversation.allMessages',
];

async function operations(): Promise<
  ReadonlyMap<string, { readonly method: string; readonly path: string }>
> {
  const file = new URL('../../../openapi/agentapi-proxy.json', import.meta.url);
  const { paths } = documentSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  return new Map(
    Object.entries(paths).flatMap(([path, described]) =>
      Object.entries(described).map(
        ([name, { operationId }]) => [operationId, { method: name.toUpperCase(), path }] as const,
      ),
    ),
  );
}

describe('PX-213: operations of the OpenAPI document and methods of the client', () => {
  test('every operation has a method, and every method in the table an operation', async () => {
    expect(Object.keys(METHODS).toSorted()).toEqual([...(await operations()).keys()].toSorted());
  });

  test('every public method makes the request of one operation, or is made of such methods', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:1' });
    const session = client.session('s1');
    const parts = [
      client,
      client.profiles,
      client.apiKeys,
      client.audit,
      session,
      session.shares,
      session.git,
      session.conversation,
    ];
    const named = parts.flatMap((part) => {
      const prototype: object = Object.getPrototypeOf(part);
      return Object.getOwnPropertyNames(prototype)
        .filter((name) => name !== 'constructor')
        .map((name) => `${part.constructor.name}.${name}`);
    });
    const known = [...Object.values(METHODS).map(({ name }) => name), ...COMBINED];
    expect(named.toSorted()).toEqual(known.toSorted());
  });

  test.each(Object.entries(METHODS))(
    '%s has a method that makes its request',
    async (operationId, { call }) => {
      await using proxy = await TestProxy.start();
      const wanted = (await operations()).get(operationId);
      const path = new RegExp(`^${wanted?.path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
      const client = createClient({ baseUrl: proxy.baseUrl });
      // What comes back is another test's matter.
      await call(client, client.session('s1')).catch((error: unknown) =>
        expect(error).toBeInstanceOf(ClientError),
      );
      const [request] = proxy.requests;
      expect(request?.method).toBe(wanted?.method);
      expect(request?.url.split('?')[0]).toMatch(path);
    },
  );
});
