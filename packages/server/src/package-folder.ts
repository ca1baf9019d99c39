import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Folder of this package, wherever in it this code lies: as source, compiled, or bundled into a program. */
export function packageFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('agentapi-proxy/package.json'));
}
