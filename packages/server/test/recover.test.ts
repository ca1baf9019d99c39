import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf } from '@agentapi-proxy/agent-server/process-tree';
import SqliteFile from 'better-sqlite3';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts';
import { recoverSessions } from '../src/sessions/recover.ts';
import { temporaryKeys } from '../src/store/key-source.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { Workspaces } from '../src/workspace/workspace.ts';
import { newSession } from './store/stores.ts';

test('a recovery that fails leaves no timer that would hold up the end of the server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recover-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using store = await openSqlite(join(folder, 'store.db'), temporaryKeys());
  // An agent server that goes on: this process, as far as its identity and its port tell.
  await using listening = createServer().listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  const identity = await identityOf(process.pid);
  if (address === null || typeof address === 'string' || identity === null) throw new Error('no port');
  const session = newSession();
  const { id } = session.facts;
  await store.sessions.insert(session);
  await store.sessions.transition(id, ['creating'], 'starting', { at: new Date() });
  await store.sessions.transition(id, ['starting'], 'running', { at: new Date() });
  await store.sessions.saveRun(id, { ...identity, port: address.port }, 'token');
  const file = new SqliteFile(join(folder, 'store.db'));
  file.exec("update sessions set token_sealed = 'damaged'");
  file.close();
  await using runtime = new LocalRuntime({
    instanceId: session.instanceId,
    startPort: 0,
    portCount: 1,
    mask: (text) => text,
    onLogError: () => undefined,
  });

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const recovery = recoverSessions({
    store,
    instanceId: session.instanceId,
    runtime,
    workspaces: new Workspaces(folder),
    revive: async () => Promise.reject(new Error('nothing can be taken up without its token')),
    log: pino({ level: 'silent' }),
  });
  await expect(recovery).rejects.toMatchObject({ name: 'StoreError' });
  expect(vi.getTimerCount()).toBe(0);
});
