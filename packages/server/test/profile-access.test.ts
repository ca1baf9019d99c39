import { afterAll, describe, expect, test } from 'vitest';
import { startApp } from './support/app.ts';
import { startProfileApp, UNKNOWN_ID, USER_PERMISSIONS } from './support/profile-app.ts';
import { ProfileCaller } from './support/profile-wire.ts';

const profiles = await startProfileApp();
const { app, alice, bob, admin } = profiles;
afterAll(async () => profiles[Symbol.asyncDispose]());

describe('whose profile it is', () => {
  test('PX-194, PX-204: foreign profiles are refused in the words for each use', async () => {
    const { id } = await alice.create({ name: 'p' });
    const entry = { url: 'u', name: 'n' };
    const refusals = [
      ['GET', `/profiles/${id}`, undefined, 'You can only access your own profiles'],
      ['PUT', `/profiles/${id}`, {}, 'You can only update your own profiles'],
      ['DELETE', `/profiles/${id}`, undefined, 'You can only delete your own profiles'],
      ['POST', `/profiles/${id}/repositories`, entry, 'You can only modify your own profiles'],
      ['POST', `/profiles/${id}/templates`, entry, 'You can only modify your own profiles'],
      ['POST', '/start-with-profile', { profile_id: id }, 'You can only use your own profiles'],
    ] as const;
    for (const [method, path, body, message] of refusals) {
      expect(await bob.call(method, path, body)).toMatchObject({ status: 403, body: { message } });
    }
    expect((await alice.get(id)).repository_history).toEqual([]);
  });

  test('existence comes before the owner, and the owner before body and version', async () => {
    const { id } = await alice.create({ name: 'p' });
    for (const [method, path] of [
      ['PUT', ''],
      ['POST', '/repositories'],
      ['POST', '/templates'],
    ] as const) {
      expect((await bob.call(method, `/profiles/${UNKNOWN_ID}${path}`, '{')).status).toBe(404);
      expect((await bob.call(method, `/profiles/${id}${path}`, '{', { 'if-match': '"9"' })).status).toBe(403);
      expect((await alice.call(method, `/profiles/${id}${path}`, '{')).status).toBe(400);
    }
    expect((await bob.call('DELETE', `/profiles/${id}`, undefined, { 'if-match': '"9"' })).status).toBe(403);
  });

  test('DD-11: an admin may do everything with the profiles of others, and they stay theirs', async () => {
    const { id } = await alice.create({ name: 'p' });
    await admin.call('POST', `/profiles/${id}/repositories`, { url: 'u', name: 'n' });
    expect(await admin.update(id, { name: 'q' })).toMatchObject({ user_id: 'alice', name: 'q' });
    expect(await alice.get(id)).toMatchObject({ repository_history: [{ url: 'u' }] });
    expect((await admin.call('DELETE', `/profiles/${id}`)).status).toBe(200);
  });

  test.each([
    ['POST', '/profiles', 'profile:create'],
    ['GET', '/profiles', 'profile:list'],
    ['GET', `/profiles/${UNKNOWN_ID}`, 'profile:read'],
    ['PUT', `/profiles/${UNKNOWN_ID}`, 'profile:update'],
    ['POST', `/profiles/${UNKNOWN_ID}/repositories`, 'profile:update'],
    ['POST', `/profiles/${UNKNOWN_ID}/templates`, 'profile:update'],
    ['DELETE', `/profiles/${UNKNOWN_ID}`, 'profile:delete'],
    ['POST', '/start-with-profile', 'session:create'],
  ])('PX-203: %s %s needs %s', async (method, path, needed) => {
    for (const permission of USER_PERMISSIONS) {
      const { status, body } = await new ProfileCaller(app, `only-${permission}`).call(method, path);
      if (permission === needed) expect([200, 400, 404]).toContain(status);
      else
        expect({ status, message: body['message'] }).toEqual({
          status: 403,
          message: 'Insufficient permissions',
        });
    }
    expect((await new ProfileCaller(app).call(method, path)).status).toBe(401);
  });
});

describe('from web pages of other origins', () => {
  test('PX-073: preflights below /profiles are answered, and every answer carries CORS headers', async () => {
    const { id } = await alice.create({ name: 'p' });
    const origin = { origin: 'https://ui.example' };
    for (const path of [`/profiles/${id}`, `/profiles/${UNKNOWN_ID}`, `/profiles/${id}/repositories`]) {
      const preflight = await app.request(path, {
        method: 'OPTIONS',
        headers: { ...origin, 'access-control-request-method': 'PUT' },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(preflight.headers.get('access-control-allow-headers')).toContain('If-Match');
    }
    const answers = [
      await alice.call('GET', `/profiles/${id}`, undefined, origin),
      await alice.call('GET', `/profiles/${UNKNOWN_ID}`, undefined, origin),
      await bob.call('PUT', `/profiles/${id}`, {}, origin),
      await alice.call('PATCH', `/profiles/${id}`, {}, origin),
      await new ProfileCaller(app).call('GET', `/profiles/${id}`, undefined, origin),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 403, 405, 401]);
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')).toContain('ETag');
    }
  });
});

describe('without authentication', () => {
  test('PX-202: profiles work, and belong to anonymous', async () => {
    await using open = await startApp();
    const anybody = new ProfileCaller(open);
    const made = await anybody.create({ name: 'p', environment: { A: '1' } });
    expect(made).toMatchObject({ user_id: 'anonymous', environment: { A: '1' } });
    expect(await anybody.list()).toEqual([made]);
    expect(await anybody.update(made.id, { name: 'q' })).toMatchObject({
      name: 'q',
      environment: { A: '1' },
    });
    expect((await anybody.call('DELETE', `/profiles/${made.id}`)).status).toBe(200);
  });
});
