import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Builds the console into the server's `dist`, unless what it is made of is as it was. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = join(root, 'packages/server/dist/console');
/** Digest of what the present build was made of. Not beside it: that folder is published. */
const stamp = join(root, '.cache/console-build');
const inputs = [
  'packages/console/index.html',
  'packages/console/package.json',
  'packages/console/public',
  'packages/console/src',
  'packages/console/vite.config.ts',
  'packages/client/src',
  'package-lock.json',
];

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { withFileTypes: true, recursive: true }).catch(() => null);
  if (entries === null) return [path];
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'));
  return files.map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

async function digestOf(paths: readonly string[]): Promise<string> {
  const digest = createHash('sha256');
  for (const path of (await Promise.all(paths.map(filesOf))).flat().sort()) {
    digest.update(`${path}\0`).update(await readFile(join(root, path)));
  }
  return digest.digest('hex');
}

async function build(): Promise<number> {
  const folder = await mkdtemp(join(dirname(target), '.console-'));
  try {
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const config = join(root, 'packages/console/vite.config.ts');
    const args = [vite, 'build', '--config', config, '--outDir', folder, '--logLevel', 'warn'];
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    await once(child, 'exit');
    if (child.exitCode !== 0) return child.exitCode ?? 1;
    // A server that runs serves the old files up to here, and the new ones from here on.
    await chmod(folder, 0o755);
    await rm(target, { recursive: true, force: true });
    await rename(folder, target);
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const digest = await digestOf(inputs);
const built = existsSync(join(target, 'index.html')) ? await readFile(stamp, 'utf8').catch(() => '') : '';
if (built !== digest) {
  process.exitCode = await build();
  if (process.exitCode === 0) {
    await mkdir(dirname(stamp), { recursive: true });
    await writeFile(stamp, digest);
  }
}
