import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/src/build-if-changed.ts';
import { buildPrograms } from '../../tools/src/programs.ts';

/** Tests run the programs as they are published: what `tsc -b` has compiled since the last build is bundled first. */
export async function setup(): Promise<void> {
  if (existsSync(join(ROOT, 'packages/server/dist/bin.js'))) await buildPrograms();
}
