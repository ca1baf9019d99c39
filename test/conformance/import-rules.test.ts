import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SERVER = 'packages/server/src';

/** A file, what it imports, and whether that points down. */
const CASES = [
  [`${SERVER}/http/a.ts`, '../proxy/proxy-handler.ts', false],
  [`${SERVER}/http/b.ts`, '../sessions/manager.ts', true],
  [`${SERVER}/proxy/a.ts`, '../http/listener.ts', false],
  [`${SERVER}/sessions/a.ts`, '../profiles/profiles.ts', false],
  [`${SERVER}/sessions/b.ts`, '../auth/access-control.ts', false],
  [`${SERVER}/sessions/c.ts`, '../store/store.ts', true],
  [`${SERVER}/sessions/session.ts`, '../store/store.ts', false],
  [`${SERVER}/sessions/d.ts`, '../journal/journal.ts', false],
  [`${SERVER}/journal/a.ts`, '../sessions/manager.ts', false],
  [`${SERVER}/journal/b.ts`, '../sessions/follower.ts', true],
  [`${SERVER}/queue/a.ts`, '../http/listener.ts', false],
  [`${SERVER}/queue/b.ts`, '../store/journal.ts', true],
  [`${SERVER}/profiles/a.ts`, '../sessions/manager.ts', false],
  [`${SERVER}/profiles/b.ts`, '../auth/access-control.ts', false],
  [`${SERVER}/profiles/c.ts`, '../auth/authorize.ts', true],
  [`${SERVER}/auth/a.ts`, '../sessions/manager.ts', false],
  [`${SERVER}/workspace/a.ts`, '../store/store.ts', false],
  [`${SERVER}/agents/a.ts`, '../workspace/workspace.ts', false],
  [`${SERVER}/runtime/local/a.ts`, '../../store/store.ts', false],
  [`${SERVER}/store/a.ts`, '../http/listener.ts', false],
  [`${SERVER}/store/b.ts`, '../sessions/manager.ts', false],
  [`${SERVER}/store/c.ts`, '../sessions/session.ts', true],
  [`${SERVER}/store/migrations/a.ts`, '../../profiles/profiles.ts', false],
  [`${SERVER}/config/a.ts`, '../store/store.ts', false],
  [`${SERVER}/http/c.ts`, '../observability/metrics.ts', false],
  [`${SERVER}/proxy/b.ts`, 'prom-client', false],
  [`${SERVER}/sessions/d.ts`, '@opentelemetry/api', false],
  [`${SERVER}/store/d.ts`, 'prom-client', false],
  [`${SERVER}/observability/a.ts`, '../http/listener.ts', false],
  [`${SERVER}/observability/b.ts`, '../sessions/session.ts', true],
  [`${SERVER}/request-observer.ts`, './auth/access-control.ts', false],
  [`${SERVER}/errors.ts`, './sessions/manager.ts', false],
  [`${SERVER}/app.ts`, './http/listener.ts', true],
  ['packages/agent-server/src/a.ts', '../../server/src/errors.ts', false],
  ['packages/client/src/a.ts', '@agentapi-proxy/agent-server/control', false],
] as const;

let folder: string;
let report: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-rules-'));
  await copyFile(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const [path, imported] of CASES) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `import { thing } from '${imported}';\nexport const same = thing;\n`);
  }
  report = await new Promise((resolve) => {
    const oxlint = join(ROOT, 'node_modules', '.bin', 'oxlint');
    // It fails, because there is something to find.
    execFile(oxlint, ['--format', 'unix', 'packages'], { cwd: folder }, (_error, stdout) => resolve(stdout));
  });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test.each(CASES)('lint: %s may import %s: %s', (path, _imported, isAllowed) => {
  const lines = report.split('\n').filter((line) => line.startsWith(`${path}:`));
  expect(lines.some((line) => line.includes('no-restricted-imports'))).toBe(!isAllowed);
});
