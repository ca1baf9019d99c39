/*
 * Writes what is generated from the schema of the configuration, or with --check tells what is stale:
 *   node packages/server/dist/config/write-documents.js [--check]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { configSchemaDocument, withTable } from './documents.ts';

const documents: readonly { path: string; content: (current: string) => string }[] = [
  { path: '../../config.schema.json', content: configSchemaDocument },
  { path: '../../../../docs/configuration.md', content: withTable },
];

const check = process.argv.includes('--check');
for (const { path, content } of documents) {
  const file = fileURLToPath(new URL(path, import.meta.url));
  // The schema is written whole, so it need not exist; a page without its markers is an error.
  const current = await readFile(file, 'utf8').catch(() => '');
  const wanted = content(current);
  if (current === wanted) continue;
  if (check) {
    process.stderr.write(`${file} is stale: run node packages/server/dist/config/write-documents.js\n`);
    process.exitCode = 1;
  } else {
    await writeFile(file, wanted);
    process.stdout.write(`wrote ${file}\n`);
  }
}
