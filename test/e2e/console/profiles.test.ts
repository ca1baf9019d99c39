import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Page } from 'playwright-core';
import { createClient } from '@agentapi-proxy/client';
import type { Client } from '@agentapi-proxy/client';
import { CHROMIUM, WINDOW_NAMES, holdRequest, sharedBrowser, typeIntoFocus } from '../../support/console.ts';
import { ADMIN, ALICE, authOf } from '../../support/console-people.ts';
import { startServer } from '../../support/server-process.ts';
import type { ServerProcess } from '../../support/server-process.ts';

const LOOKER = 'key-of-a-looker-0123456789abcdef';
const SECRET = 'sk-very-secret-0123456789';

/** Each has a browser to open on a machine that does so for other tests, too. */
vi.setConfig({ testTimeout: 90_000 });

let server: ServerProcess;
let alice: Client;
const browser = sharedBrowser(async (own) => {
  const permissions = ['profile:list', 'profile:read'];
  const auth = authOf({ key: LOOKER, user_id: 'alice', role: 'user', permissions });
  server = await own(startServer({ config: { auth } }));
  alice = createClient({ baseUrl: server.url, apiKey: ALICE });
});
beforeEach(async () => {
  if (CHROMIUM === null) return;
  for (const { id } of await alice.profiles.list()) await alice.profiles.delete(id);
});

const save = (page: Page) => page.getByRole('button', { name: 'Save', exact: true }).click();
const rowOf = (page: Page, name: string) => page.getByRole('listitem').filter({ hasText: name });
const choose = async (page: Page, profile: string, action: string): Promise<void> => {
  await page.getByRole('button', { name: `More actions for ${profile}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
};
/** A profile with a bit of everything. */
const make = async () =>
  await alice.profiles.create({
    name: 'Reviews',
    description: 'For the shop',
    environment: { API_TOKEN: SECRET, LEVEL: 'debug' },
    system_prompt: 'Be brief.',
    message_templates: [{ name: 'review', content: 'Review {{file}} for {{concern}}.' }],
    agent: 'demo',
  });

describe.skipIf(CHROMIUM === null)('profiles [needs chromium]', () => {
  test.each(WINDOW_NAMES)('on a %s: are made, and found in the list', async (window) => {
    await browser.visit({ server, key: ALICE, window, path: 'profiles' }, async ({ page, check }) => {
      await page.getByRole('heading', { name: 'There are no profiles yet' }).waitFor();
      await check();
      await page.getByRole('link', { name: 'New profile' }).first().click();
      await page.getByRole('button', { name: 'Make profile' }).click();
      await page.getByText('Give the profile a name.').waitFor();
      await page.getByLabel('Name', { exact: true }).fill('Reviews');
      await page.getByLabel('System prompt').fill('Be brief.');
      await page.getByLabel('Agent', { exact: true }).selectOption('demo');
      await page.getByRole('button', { name: 'Add a variable' }).click();
      await typeIntoFocus(page, 'API_TOKEN');
      await page.getByLabel('Value of variable API_TOKEN').fill(SECRET);
      await page.getByRole('button', { name: 'Add a template' }).click();
      await typeIntoFocus(page, 'review');
      await page.getByLabel('Message', { exact: true }).fill('Review {{file}} for {{ concern }}.');
      await page.getByText('Variables: file, concern').waitFor();
      await page.getByText('Review ‹file› for ‹concern›.').waitFor();
      await page.getByLabel('Use it for starts that name no profile').check();
      await check();
      await page.getByRole('button', { name: 'Make profile' }).click();
      await page.waitForURL(/\/profiles\/[0-9a-f-]{36}$/);
      await page.getByText('Has a value that is not shown').waitFor();
      await check();
      await page.getByRole('link', { name: 'All profiles' }).click();
      await rowOf(page, 'Reviews').getByText('Default').waitFor();
      await rowOf(page, 'Reviews').getByText('1 variable').waitFor();
      await check();
      expect(await alice.profiles.list()).toMatchObject([
        {
          name: 'Reviews',
          environment: { API_TOKEN: SECRET },
          system_prompt: 'Be brief.',
          agent: 'demo',
          is_default: true,
          message_templates: [{ name: 'review', content: 'Review {{file}} for {{ concern }}.' }],
        },
      ]);
    });
  });

  test('values of variables are never drawn, and stay unless they are replaced', async () => {
    const { profile } = await make();
    await browser.visit({ server, key: ALICE, path: `profiles/${profile.id}` }, async ({ page }) => {
      await page.getByText('Has a value that is not shown').first().waitFor();
      expect(await page.content()).not.toContain(SECRET);
      expect(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'Replace: Value of variable LEVEL' }).click();
      await typeIntoFocus(page, 'trace');
      await save(page);
      await page.getByText('The profile was saved.').waitFor();
      expect(await page.content()).not.toContain('trace');
      expect((await alice.profiles.get(profile.id)).profile.environment).toEqual({
        API_TOKEN: SECRET,
        LEVEL: 'trace',
      });
      await page.getByRole('button', { name: 'Remove variable LEVEL' }).click();
      await page.keyboard.press('Control+s');
      await expect
        .poll(async () => (await alice.profiles.get(profile.id)).profile.environment)
        .toEqual({ API_TOKEN: SECRET });
    });
  });

  test.each(['made', 'saved'])('what is typed while one is being %s stays, and is unsaved', async (what) => {
    const { id } = (await make()).profile;
    const path = what === 'made' ? `profiles/new?from=${id}` : `profiles/${id}`;
    await browser.visit({ server, key: ALICE, path }, async ({ page }) => {
      await page.getByText('Has a value that is not shown').first().waitFor();
      await page.getByRole('button', { name: 'Replace: Value of variable LEVEL' }).click();
      await typeIntoFocus(page, 'trace');
      const held = await holdRequest(page, what === 'made' ? 'POST' : 'PUT', /^\/profiles/);
      await page.keyboard.press('Control+s');
      await held.asked;
      await page.getByLabel('System prompt').fill('Be very brief.');
      held.release();
      await page.getByText(`The profile was ${what}.`).waitFor();
      await page.getByText('There are unsaved changes.').waitFor();
      expect(await page.getByLabel('System prompt').inputValue()).toBe('Be very brief.');
      expect(await page.content()).not.toContain('trace');
      await save(page);
      await page.getByText('There are unsaved changes.').waitFor({ state: 'detached' });
      const saved = (await alice.profiles.list()).find((each) => (what === 'made') === (each.id !== id));
      expect(saved).toMatchObject({
        system_prompt: 'Be very brief.',
        environment: { API_TOKEN: SECRET, LEVEL: 'trace' },
        message_templates: [{ name: 'review' }],
      });
    });
  });

  test('are duplicated, made the default, and deleted after a question', async () => {
    await make();
    await browser.visit({ server, key: ALICE, path: 'profiles' }, async ({ page, check }) => {
      await choose(page, 'Reviews', 'Duplicate');
      await expect
        .poll(() => page.getByLabel('Name', { exact: true }).first().inputValue())
        .toBe('Reviews (copy)');
      await page.getByRole('button', { name: 'Make profile' }).click();
      await page.getByRole('heading', { name: 'Reviews (copy)' }).waitFor();
      const copy = (await alice.profiles.list()).find(({ name }) => name === 'Reviews (copy)');
      expect(copy).toMatchObject({ environment: { API_TOKEN: SECRET, LEVEL: 'debug' }, agent: 'demo' });
      await page.getByRole('link', { name: 'All profiles' }).click();
      await choose(page, 'Reviews (copy)', 'Make it the default');
      await rowOf(page, 'Reviews (copy)').getByText('Default').waitFor();
      await choose(page, 'Reviews (copy)', 'Delete …');
      await page.getByRole('dialog').getByText('is removed for good').waitFor();
      await check();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await rowOf(page, 'Reviews (copy)').waitFor({ state: 'detached' });
      expect((await alice.profiles.list()).map(({ name }) => name)).toEqual(['Reviews']);
    });
  });

  test.each(WINDOW_NAMES)(
    'on a %s: nobody overwrites what another has saved without knowing',
    async (window) => {
      const { profile } = await make();
      const path = `profiles/${profile.id}`;
      await browser.visit(
        { server, key: ALICE, window, path, expectStatuses: [412] },
        async ({ page, check }) => {
          await page.getByLabel('System prompt').fill('Mine.');
          await alice.profiles.update(profile.id, { system_prompt: 'Theirs.', description: 'Theirs, too.' });
          await save(page);
          const dialog = page.getByRole('dialog');
          await dialog.getByText('system prompt – you have changed it, too').waitFor();
          await dialog.getByText('description', { exact: true }).waitFor();
          await check();
          await dialog.getByRole('button', { name: 'Save mine over it' }).click();
          await page.getByText('The profile was saved.').waitFor();
          expect((await alice.profiles.get(profile.id)).profile).toMatchObject({
            system_prompt: 'Mine.',
            description: 'Theirs, too.',
            environment: { API_TOKEN: SECRET },
          });
          await page.getByLabel('System prompt').fill('Mine again.');
          await alice.profiles.update(profile.id, { system_prompt: 'Theirs again.' });
          await save(page);
          await dialog.getByRole('button', { name: 'Take theirs, lose mine' }).click();
          await expect.poll(() => page.getByLabel('System prompt').inputValue()).toBe('Theirs again.');
        },
      );
    },
  );

  test('what is not saved is not lost without a question', async () => {
    const { profile } = await make();
    await browser.visit({ server, key: ALICE, path: 'profiles' }, async ({ page, where, check }) => {
      const here = `/profiles/${profile.id}`;
      await page.getByRole('link', { name: 'Reviews', exact: true }).click();
      await page.getByLabel('System prompt').fill('Unsaved.');
      const dialog = page.getByRole('dialog', { name: 'Leave without saving?' });
      await page.getByRole('link', { name: 'Sessions' }).click();
      await dialog.waitFor();
      await check();
      await page.keyboard.press('Escape');
      expect(where()).toBe(here);
      await page.goBack();
      await dialog.getByRole('button', { name: 'Stay here' }).click();
      expect(where()).toBe(here);
      expect(await page.getByLabel('System prompt').inputValue()).toBe('Unsaved.');
      await page.goBack();
      await dialog.getByRole('button', { name: 'Leave and lose the changes' }).click();
      await page.waitForURL(/\/profiles$/);
      await page.getByRole('link', { name: 'Reviews', exact: true }).click();
      expect(await page.getByLabel('System prompt').inputValue()).toBe('Be brief.');
      // Nothing is unsaved now, so nobody is asked.
      await page.getByRole('link', { name: 'Sessions' }).click();
      await page.waitForURL(/\/sessions$/);
    });
  });

  test('start sessions, with what is said besides', async () => {
    const { profile } = await make();
    await browser.visit({ server, key: ALICE, path: 'profiles' }, async ({ page, where }) => {
      await page.getByRole('link', { name: 'Start a session from Reviews' }).click();
      expect(where()).toBe(`/sessions/new?profile=${profile.id}`);
      await expect.poll(() => page.getByLabel('Profile', { exact: true }).inputValue()).toBe(profile.id);
    });
  });

  test('what the server refuses is said at the field', async () => {
    const { profile } = await make();
    const path = `profiles/${profile.id}`;
    await browser.visit({ server, key: ALICE, path, expectStatuses: [400] }, async ({ page, check }) => {
      await page.getByLabel('Repository', { exact: true }).fill('no repository at all');
      await save(page);
      await expect
        .poll(() => page.getByLabel('Repository', { exact: true }).getAttribute('aria-invalid'))
        .toBe('true');
      await page.getByText('repository must be "owner/repo"').waitFor();
      await check();
    });
  });

  test('of others show an admin the names of variables only, and can be edited without losing them', async () => {
    const { profile } = await make();
    const path = `profiles/${profile.id}`;
    await browser.visit({ server, key: ADMIN, path }, async ({ page, check }) => {
      await page.getByText('This profile belongs to alice.').waitFor();
      await page.getByText('API_TOKEN').waitFor();
      await check();
      await page.getByLabel('Description').fill('By the admin');
      await save(page);
      await page.getByText('The profile was saved.').waitFor();
      expect((await alice.profiles.get(profile.id)).profile).toMatchObject({
        description: 'By the admin',
        environment: { API_TOKEN: SECRET, LEVEL: 'debug' },
      });
    });
  });

  test.each(WINDOW_NAMES)('on a %s: those who may only read change nothing', async (window) => {
    const { profile } = await make();
    await browser.visit({ server, key: LOOKER, window, path: 'profiles' }, async ({ page, goto, check }) => {
      await page.getByRole('link', { name: 'Reviews', exact: true }).waitFor();
      expect(await page.getByRole('link', { name: 'New profile' }).count()).toBe(0);
      expect(await page.getByRole('link', { name: 'Start a session from Reviews' }).count()).toBe(0);
      await page.getByRole('button', { name: 'More actions for Reviews' }).click();
      expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['Look at it']);
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Reviews', exact: true }).click();
      await page.getByText('You may look at this profile, but not change it.').waitFor();
      expect(await page.getByLabel('System prompt').isDisabled()).toBe(true);
      expect(await page.getByRole('button', { name: 'Save', exact: true }).count()).toBe(0);
      expect(await page.content()).not.toContain(SECRET);
      await check();
      await goto('profiles/new');
      await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
      expect((await alice.profiles.get(profile.id)).profile.name).toBe('Reviews');
    });
  });

  test.each(WINDOW_NAMES)('on a %s: hostile text is text', async (window) => {
    const hostile = `"><img src=x onerror="document.title='run'"><script>document.title='run'</script>\u202e`;
    const long = 'w'.repeat(180 - hostile.length);
    const { profile } = await alice.profiles.create({
      name: hostile + long,
      description: hostile.repeat(20),
      environment: { ['W'.repeat(120)]: hostile },
      system_prompt: hostile.repeat(20),
      agent_args: [hostile],
      message_templates: [{ name: hostile, category: hostile, content: `{{a}} ${hostile.repeat(5)}` }],
    });
    await browser.visit({ server, key: ALICE, window, path: 'profiles' }, async ({ page, goto, check }) => {
      await page.getByRole('link', { name: long }).first().waitFor();
      await check();
      await goto(`profiles/${profile.id}`);
      await page.getByText('Has a value that is not shown').waitFor();
      await check();
      await goto(`sessions/new?profile=${profile.id}`);
      await page.getByText('Brings').waitFor();
      await check();
      expect(await page.title()).not.toBe('run');
    });
  });

  test('that are gone, or cannot be had, say so', async () => {
    await browser.visit(
      { server, key: ALICE, path: 'profiles/none', expectStatuses: [404] },
      async ({ page, where, check }) => {
        await page.getByRole('heading', { name: 'There is no such profile' }).waitFor();
        await check();
        await page.getByRole('link', { name: 'All profiles' }).click();
        await page.getByRole('heading', { name: 'There are no profiles yet' }).waitFor();
        expect(where()).toBe('/profiles');
      },
    );
  });
});
