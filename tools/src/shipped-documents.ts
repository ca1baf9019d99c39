// Puts documents of the whole repository beside the package `agentapi-proxy` while npm packs it, and takes them away
// again: npm packs nothing from outside a package's folder.
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGE = `${root}packages/server/`;
const DOCUMENTS = { 'CHANGELOG.md': 'CHANGELOG.md', 'openapi/agentapi-proxy.json': 'agentapi-proxy.json' };

const isCopy = process.argv[2] === 'copy';
if (isCopy && !existsSync(`${PACKAGE}dist/program/bin.js`)) {
  console.error('The packages are not built; run: npm run build');
  process.exitCode = 1;
} else {
  for (const [from, to] of Object.entries(DOCUMENTS)) {
    if (isCopy) copyFileSync(`${root}${from}`, `${PACKAGE}${to}`);
    else rmSync(`${PACKAGE}${to}`, { force: true });
  }
}
