import pino from 'pino';
import { expect, test } from 'vitest';
import type { Principal } from '../src/auth/principal.ts';
import { digestOf } from '../src/auth/credential-index.ts';
import { SessionShares } from '../src/auth/session-shares.ts';
import { openMemory } from '../src/store/sqlite.ts';
import { newSession } from './store/stores.ts';

const ALICE: Principal = { userId: 'alice', role: 'user', permissions: new Set(['*']) };

test('what a share allowed is over with its revocation or replacement, also while the store cannot be read', async () => {
  await using store = await openMemory();
  const session = newSession();
  const { id } = session.facts;
  await store.sessions.insert(session);
  let changes = 0;
  await using shares = new SessionShares(store, 3, pino({ level: 'silent' }), () => {
    changes += 1;
  });
  await shares.start();
  const bobs = await shares.grant(id, ALICE, 'bob', 'write', null);
  await shares.grant(id, ALICE, 'carol', 'write', null);
  const { link, token } = await shares.addLink(id, ALICE, new Date(Date.now() + 60_000));
  const holder = (): string | undefined => shares.find(digestOf(token), Date.now())?.linkedSession;
  expect([shares.accessOf(id, 'bob'), shares.accessOf(id, 'carol'), holder()]).toEqual([
    'write',
    'write',
    id,
  ]);

  store.shares.findAllGrants = async () => Promise.reject(new Error('disk gone'));
  changes = 0;
  await shares.revoke(id, bobs.id);
  await shares.grant(id, ALICE, 'carol', 'read', null);
  await shares.revoke(id, link.id);
  expect([shares.accessOf(id, 'bob'), shares.accessOf(id, 'carol'), holder()]).toEqual([
    null,
    'read',
    undefined,
  ]);
  // What is open is looked at again each time.
  expect(changes).toBe(3);
});
