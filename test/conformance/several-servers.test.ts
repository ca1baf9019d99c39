import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HAS_POSTGRES, PostgresServer } from '../../tools/src/postgres-server.ts';
import { startServer } from '../support/server-process.ts';
import {
  ask,
  errorOf,
  jsonRequest,
  remove,
  search,
  start,
  untilStable,
  untilState,
} from '../support/wire.ts';

describe.skipIf(!HAS_POSTGRES)('several servers on one PostgreSQL [needs postgresql]', () => {
  test(
    'a session is ended, deleted and given messages by its own server only',
    { timeout: 120_000 },
    async () => {
      await using postgres = await PostgresServer.start();
      const config = {
        store: { url: await postgres.createDatabase() },
        encryption: { key: randomBytes(32).toString('base64') },
      };
      await using own = await startServer({ config });
      await using other = await startServer({ config });
      const id = await start(own);
      await untilStable(own, id);
      const refusal = {
        status: 409,
        code: 'session_elsewhere',
        message: 'The session belongs to another server',
      };

      const hello = jsonRequest({ content: 'hello' });
      const queued = await other.request(`/sessions/${id}/messages`, hello);
      expect(await errorOf(queued)).toMatchObject(refusal);
      expect(await errorOf(await remove(other, id))).toMatchObject(refusal);
      expect((await search(own)).map(({ session_id: found }) => found)).toEqual([id]);
      expect(await ask(own, id, 'still there?')).toContain('still there?');
      expect((await own.request(`/sessions/${id}/messages`, hello)).status).toBe(201);

      // Its files stay out of reach.
      const [agentServer = ''] = await own.sessionProcesses(id);
      process.kill(Number(agentServer.replace('pid ', '')), 'SIGKILL');
      await untilState(own, id, 'failed');
      expect(await errorOf(await remove(other, id))).toMatchObject(refusal);
      expect((await remove(own, id)).status).toBe(200);
      expect((await remove(other, id)).status).toBe(404);
    },
  );
});
