import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { startServer } from '../../support/server-process.ts';

vi.setConfig({ testTimeout: 60_000 });

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
const manifestSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
});

async function manifest(path: string): Promise<z.infer<typeof manifestSchema>> {
  return manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** What the console is made of that others have written, as `name - version`. */
async function foreignParts(): Promise<readonly string[]> {
  const owners = [`${packages}console/package.json`, `${packages}client/package.json`];
  const parts = await Promise.all(
    owners.map(async (owner) => {
      const { dependencies } = await manifest(owner);
      const folders = createRequire(owner).resolve.paths('any') ?? [];
      const foreign = Object.keys(dependencies).filter((name) => !name.startsWith('@agentapi-proxy/'));
      return Promise.all(
        foreign.map(async (name) => {
          // Not by resolving it: most packages do not export their manifest.
          const found = await Promise.any(
            folders.map((folder) => manifest(`${folder}/${name}/package.json`)),
          );
          return `${name} - ${found.version}`;
        }),
      );
    }),
  );
  return parts.flat();
}

test('the notices of everything that is bundled are published with the console', async () => {
  await using server = await startServer();
  const answer = await server.request('/console/licenses.txt');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  const text = await answer.text();
  const parts = await foreignParts();
  expect(parts.length).toBeGreaterThan(5);
  for (const part of parts) expect(text).toContain(`## ${part} (`);
  // What is bundled with those.
  expect(text).toContain('## @preact/signals-core - ');
  expect(text).toContain('Permission is hereby granted, free of charge');
  expect(text).toContain('Redistributions in binary form must reproduce the above copyright notice');
});
