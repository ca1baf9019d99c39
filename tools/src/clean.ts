import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const built = [
  'packages/agent-server/dist',
  'packages/client/dist',
  'packages/server/dist',
  'bench/dist',
  'node_modules/.cache/console-types',
  'coverage',
  '.cache',
];
// `tools/dist` last: this program lies in it.
for (const path of [...built, 'tools/dist']) {
  rmSync(`${root}${path}`, { recursive: true, force: true });
  console.log(`removed ${path}`);
}
