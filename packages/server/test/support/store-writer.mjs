// Writes to a store for ever and names every write on standard output once it was acknowledged.
// Arguments: `sqlite` or `postgres`, its path or URL, the key file, a prefix for ids.
import { KeyFile } from '../../dist/store/key-source.js';
import { openPostgres } from '../../dist/store/postgres.js';
import { openSqlite } from '../../dist/store/sqlite.js';

const [engine, location, keyFile, prefix] = process.argv.slice(2);
const keys = new KeyFile(keyFile, true);
const store = engine === 'sqlite' ? await openSqlite(location, keys) : await openPostgres(location, keys);

/** A pipe is written to before `write` returns. */
function acknowledge(write) {
  process.stdout.write(`${JSON.stringify(write)}\n`);
}

acknowledge({ kind: 'open' });
for (let number = 0; ; number += 1) {
  const id = `${prefix}-${String(number).padStart(6, '0')}`;
  const at = new Date(1_767_268_800_000 + number);
  try {
    await store.sessions.insert({
      facts: {
        id,
        ownerId: 'alice',
        agent: 'demo',
        agentType: 'custom',
        agentServer: 'embedded',
        tags: { number: String(number) },
        environmentNames: ['SECRET'],
        createdAt: at,
      },
      instanceId: 'instance-1',
      port: 9000,
      start: {
        environment: { SECRET: `secret of ${id}` },
        agent: { command: 'agent', args: [], env: {} },
        agentArgs: [],
        systemPrompt: 'x'.repeat(number % 2000),
      },
      message: null,
    });
    acknowledge({ kind: 'session', id });
    await store.sessions.transition(id, ['creating'], 'starting', { at });
    acknowledge({ kind: 'starting', id });
    await store.transaction(async (tables) => {
      await tables.info.set(`a-${id}`, 'both');
      await tables.info.set(`b-${id}`, 'both');
    });
    acknowledge({ kind: 'both', id });
    if (number % 3 === 0) {
      await store.sessions.delete(id);
      acknowledge({ kind: 'deleted', id });
    }
  } catch (error) {
    acknowledge({ kind: 'error', name: error.name, errorKind: error.kind, message: error.message });
    process.exitCode = 3;
    break;
  }
  // Lets signals in: SQLite answers without leaving this turn of the event loop.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
await store[Symbol.asyncDispose]();
