// Writes the OpenAPI document as the built server answers it, and the client's types from it. With `--check` it
// writes nothing and fails when what is committed differs; the document is linted either way.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientTypes } from './client-types.ts';
import { fetchDocument } from './fetch-document.ts';
import { lintProblems } from './lint-document.ts';

const ROOT = new URL('../../../', import.meta.url);

const document = await fetchDocument(fileURLToPath(new URL('bin/agentapi-proxy', ROOT)));
const generated = {
  'openapi/agentapi-proxy.json': document,
  'packages/client/src/schema.gen.ts': await clientTypes(document),
};

for (const [path, text] of Object.entries(generated)) {
  const file = fileURLToPath(new URL(path, ROOT));
  const isSame = readOr(file, '') === text;
  if (isSame) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is not what the routes say; run: npm run openapi`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}

for (const problem of await lintProblems(document)) {
  console.error(problem);
  process.exitCode = 1;
}

function readOr(file: string, missing: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return missing;
  }
}
