import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buildIfChanged, ROOT } from './build-if-changed.ts';

/** Builds the console into the server's `dist`, unless what it is made of is as it was. */
await buildIfChanged({
  name: 'console',
  target: 'packages/server/dist/console',
  mark: 'index.html',
  inputs: [
    'packages/console/index.html',
    'packages/console/package.json',
    'packages/console/public',
    'packages/console/src',
    'packages/console/vite.config.ts',
    'packages/client/src',
    'package-lock.json',
  ],
  isInput: (path) => !path.endsWith('.test.ts'),
  fill: async (folder) => {
    const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
    const config = join(ROOT, 'packages/console/vite.config.ts');
    const args = [vite, 'build', '--config', config, '--outDir', folder, '--logLevel', 'warn'];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    await once(child, 'exit');
    if (child.exitCode !== 0) throw new Error('The console could not be built');
  },
});
