import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startApp } from './support/app.ts';
import type { TestApp } from './support/app.ts';
import { ProfileCaller } from './support/profile-wire.ts';
import { testEngines } from './store/stores.ts';
import type { Site } from './store/stores.ts';

const CANARY = 'canary-6f1c0e';

for (const engine of testEngines()) {
  describe.skipIf(!engine.available)(`profiles on ${engine.name}`, () => {
    let site: Site;
    let app: TestApp;
    let caller: ProfileCaller;

    async function start(): Promise<void> {
      app = await startApp({}, { openStore: () => site.open() });
      caller = new ProfileCaller(app);
    }

    beforeEach(async () => {
      site = await engine.site();
      await start();
    });
    afterEach(async () => {
      await app[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    });
    afterAll(() => engine[Symbol.asyncDispose]());

    test('PX-209: 50 parallel repository additions give 50 entries', async () => {
      const { id } = await caller.create({ name: 'p' });
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          caller.call('POST', `/profiles/${id}/repositories`, { url: `u${index}`, name: `n${index}` }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
      const { repository_history: history } = await caller.get(id);
      expect(new Set(history.map(({ url }) => url)).size).toBe(50);
      expect(new Set(history.map((entry) => entry.id)).size).toBe(50);
      expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(50);
    });

    test('PX-198, PX-209: 20 parallel additions of one address give one entry', async () => {
      const { id } = await caller.create({ name: 'p' });
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          caller.call('POST', `/profiles/${id}/repositories`, {
            url: 'u',
            name: 'n',
            metadata: { [`k${index}`]: 'v' },
          }),
        ),
      );
      const { repository_history: history } = await caller.get(id);
      expect(history).toHaveLength(1);
      expect(Object.keys(history[0]?.['metadata'] ?? {})).toHaveLength(20);
    });

    test('DF-39: parallel edits of different fields lose nothing', async () => {
      const { id } = await caller.create({ name: 'p' });
      await Promise.all([
        caller.update(id, { description: 'd' }),
        caller.update(id, { environment: { A: '1' } }),
        caller.update(id, { system_prompt: 's' }),
        caller.call('POST', `/profiles/${id}/templates`, { name: 't', content: 'c' }),
        caller.call('POST', `/profiles/${id}/repositories`, { url: 'u', name: 'n' }),
      ]);
      expect(await caller.get(id)).toMatchObject({
        description: 'd',
        environment: { A: '1' },
        system_prompt: 's',
        message_templates: [{ name: 't' }],
        repository_history: [{ url: 'u' }],
      });
    });

    test('PX-210: profiles survive a restart, with everything in them', async () => {
      const made = await caller.create({
        name: 'p',
        description: 'd \u{1f600} \u0001',
        environment: { A: 'ü\n"', B: '' },
        repository_history: [{ url: 'u', name: 'n', branch: 'b', metadata: { k: 'v' } }],
        system_prompt: 'Be\nbrief.',
        message_templates: [{ name: 't', content: '{{a}}\0'.replace('\0', ''), variables: ['a'] }],
        agent: 'codex',
        agent_args: ['--x'],
        repository: 'a/b',
        is_default: true,
      });
      const etag = (await caller.call('GET', `/profiles/${made.id}`)).headers.get('etag');
      await app[Symbol.asyncDispose]();
      await start();
      expect(await caller.get(made.id)).toEqual(made);
      expect((await caller.call('GET', `/profiles/${made.id}`)).headers.get('etag')).toBe(etag);
      expect(await caller.list()).toEqual([made]);
    });

    test('PX-208: variables, system prompt and arguments are nowhere in clear on disk', async () => {
      const secret = (name: string): string => `${CANARY}-${name}`;
      const { id } = await caller.create({
        name: 'p',
        environment: { API_KEY: secret('first') },
        system_prompt: secret('prompt'),
        agent_args: [secret('argument')],
      });
      await caller.update(id, { environment: { PLAIN: secret('second') } });
      await caller.call('POST', `/profiles/${id}/repositories`, { url: 'u', name: 'visible-marker' });
      const disk = await site.atRest();
      expect(disk.includes('visible-marker')).toBe(true);
      for (const form of [
        CANARY,
        Buffer.from(CANARY).toString('hex'),
        Buffer.from(CANARY).toString('base64'),
      ]) {
        expect(disk.includes(form)).toBe(false);
      }
      expect(app.log()).not.toContain(CANARY);
    });

    test('an edit that is refused leaves nothing behind', async () => {
      const made = await caller.create({ name: 'p' });
      const refused = { description: 'd', repository_history: [{ url: 'u' }] };
      expect((await caller.call('PUT', `/profiles/${made.id}`, refused)).status).toBe(400);
      expect(await caller.get(made.id)).toEqual(made);
    });

    test('of parallel defaults one is left', async () => {
      const made = await Promise.all(
        Array.from({ length: 8 }, (_, index) => caller.create({ name: `p${index}`, is_default: true })),
      );
      expect(made).toHaveLength(8);
      const defaults = (await caller.list()).filter((each) => each['is_default'] === true);
      expect(defaults).toHaveLength(1);
    });
  });
}
