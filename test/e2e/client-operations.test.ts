import { createClient, InvalidArgumentError } from '@agentapi-proxy/client';
import type { Client } from '@agentapi-proxy/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../support/server-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const ROOT = 'root-key-for-client-operations';
const ALICE = 'alice-key-for-client-operations';

describe('PX-213: the TypeScript client has every operation of the server', () => {
  let server: ServerProcess;
  let root: Client;
  let alice: Client;
  beforeAll(async () => {
    const everything = { permissions: ['*'] };
    server = await startServer({
      config: {
        agents: { absent: { command: 'no-such-agent-program' } },
        auth: {
          enabled: true,
          api_keys: [
            { key: ROOT, user_id: 'root', role: 'admin', ...everything },
            { key: ALICE, user_id: 'alice', role: 'user', ...everything },
          ],
        },
      },
    });
    root = createClient({ baseUrl: server.url, apiKey: ROOT });
    alice = createClient({ baseUrl: server.url, apiKey: ALICE });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('profiles: made, read, changed against their version, started from, removed', async () => {
    const { profile, etag } = await alice.profiles.create({
      name: 'docs',
      environment: { COLOUR: 'red' },
      agent: 'demo',
      is_default: true,
    });
    expect(profile).toMatchObject({ user_id: 'alice', environment: { COLOUR: 'red' }, is_default: true });
    const changed = await alice.profiles.update(profile.id, { description: 'for docs' }, { ifMatch: etag });
    expect(changed.profile.description).toBe('for docs');
    expect(changed.etag).not.toBe(etag);
    await expect(alice.profiles.update(profile.id, { name: 'x' }, { ifMatch: etag })).rejects.toMatchObject({
      kind: 'conflict',
      code: 'version_conflict',
    });
    await alice.profiles.addRepository(profile.id, { url: 'https://github.com/o/r', name: 'r' });
    await alice.profiles.addTemplate(profile.id, { name: 'hi', content: 'Hi {{who}}', variables: ['who'] });
    expect((await alice.profiles.get(profile.id)).profile).toMatchObject({
      repository_history: [{ url: 'https://github.com/o/r' }],
      message_templates: [{ name: 'hi', variables: ['who'] }],
    });
    expect((await alice.profiles.list()).map(({ id }) => id)).toEqual([profile.id]);
    expect(await root.profiles.list({ user_id: 'nobody' })).toEqual([]);

    const session = await alice.startWithProfile({ template: 'hi', variables: { who: 'Ada' } });
    await session.waitUntilReady();
    expect((await session.messages()).find(({ role }) => role === 'user')?.content).toBe('Hi Ada');
    await session.delete();

    await expect(alice.profiles.delete(profile.id, { ifMatch: etag })).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(await alice.profiles.delete(profile.id)).toMatchObject({ profile_id: profile.id });
    await expect(alice.profiles.get(profile.id)).rejects.toMatchObject({ code: 'profile_not_found' });
    expect(() => alice.profiles.get('..')).toThrow(InvalidArgumentError);
  });

  test('keys: made, listed, rotated, revoked', async () => {
    const issued = await alice.apiKeys.create({ name: 'laptop', permissions: ['session:list'] });
    const laptop = createClient({ baseUrl: server.url, apiKey: issued.key });
    expect(await laptop.me()).toMatchObject({ user_id: 'alice', permissions: ['session:list'] });
    expect((await alice.apiKeys.list()).map(({ id }) => id)).toEqual([issued.id]);
    const rotated = await alice.apiKeys.rotate(issued.id, { overlap_seconds: 0 });
    await expect(laptop.me()).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(await alice.apiKeys.revoke(rotated.id)).toMatchObject({ id: rotated.id });
    const keys = await root.apiKeys.list({ user_id: 'alice' });
    expect(keys.every(({ revoked_at }) => revoked_at !== null)).toBe(true);
  });

  test('shares and links: others see the session until it is taken back', async () => {
    const bob = await root.apiKeys.create({ user_id: 'bob' });
    const session = await alice.start({ agent: 'demo' });
    const share = await session.shares.grant({ user_id: 'bob', access: 'read' });
    const link = await session.shares.createLink({ ttl_seconds: 60 });
    expect(await session.shares.list()).toMatchObject({
      shares: [{ id: share.id, access: 'read' }],
      links: [{ id: link.id }],
    });
    const bobs = createClient({ baseUrl: server.url, apiKey: bob.key });
    expect((await bobs.search({ shared: true })).sessions.map((row) => row.session_id)).toEqual([session.id]);
    expect((await bobs.search()).sessions).toEqual([]);
    const visitor = createClient({ baseUrl: server.url, apiKey: link.token });
    expect((await visitor.get(session.id)).session_id).toBe(session.id);
    expect((await visitor.me()).session_id).toBe(session.id);
    await session.shares.revoke(share.id);
    await session.shares.revoke(link.id);
    await expect(bobs.get(session.id)).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(visitor.get(session.id)).rejects.toMatchObject({ kind: 'unauthorized' });
    await session.delete();
  });

  test('a session that has ended is found when asked for, and started again', async () => {
    const session = await alice.start({ agent: 'absent', tags: { resume: 'yes' } });
    await expect(session.waitUntilReady()).rejects.toMatchObject({ kind: 'session_ended' });
    const tags = { resume: 'yes' };
    expect((await alice.search({ tags })).sessions).toEqual([]);
    const ended = await alice.search({ tags, state: ['stopped', 'failed'] });
    expect(ended.sessions.map((row) => row.state)).toEqual(['failed']);
    expect((await alice.search({ tags, state: 'all' })).sessions).toHaveLength(1);
    await session.resume();
    await expect(session.waitUntilReady()).rejects.toMatchObject({ kind: 'session_ended' });
    const states = (await session.details()).history.map(({ state }) => state);
    expect(states.filter((state) => state === 'creating')).toHaveLength(2);
    const lively = await alice.start({ agent: 'demo' });
    await expect(lively.resume()).rejects.toMatchObject({ kind: 'conflict', code: 'session_not_ended' });
    await lively.delete();
  });

  test('the audit log comes in pages; what is about the server itself needs no key', async () => {
    const page = await root.audit.list({ action: 'key.create', limit: 1 });
    expect(page.entries).toHaveLength(1);
    const actions = new Set<string>();
    for await (const entry of root.audit.listAll({ user_id: 'alice', limit: 2 })) actions.add(entry.action);
    expect([...actions]).toEqual(expect.arrayContaining(['key.create', 'session.start', 'share.grant']));
    await expect(alice.audit.list()).rejects.toMatchObject({ kind: 'forbidden' });
    const visitor = createClient({ baseUrl: server.url });
    expect(await visitor.health()).toEqual({ status: 'ok' });
    expect(await visitor.live()).toEqual({ status: 'ok' });
    expect(await visitor.ready()).toEqual({ status: 'ready' });
    expect((await visitor.version()).version).toMatch(/^\d/);
    expect((await visitor.openApiDocument()).openapi).toMatch(/^3\.1\./);
    expect(await visitor.reference()).toContain('<!doctype html>');
  });
});
