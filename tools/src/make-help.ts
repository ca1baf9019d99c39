import { readFileSync } from 'node:fs';

const makefile = readFileSync(new URL('../../Makefile', import.meta.url), 'utf8');
const targets = [...makefile.matchAll(/^([a-z0-9-]+):.*?## (.+)$/gm)];
const width = Math.max(...targets.map(([, name]) => name?.length ?? 0));

console.log('Usage: make TARGET\n');
for (const [, name = '', text = ''] of targets) console.log(`  ${name.padEnd(width)}  ${text}`);
