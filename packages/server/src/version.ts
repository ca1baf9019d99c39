import { createRequire } from 'node:module';
import { z } from 'zod';

/** The version of this package, such as `0.1.0`. */
export function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('agentapi-proxy/package.json');
  return z.object({ version: z.string() }).parse(manifest).version;
}
