import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Loaded into a process that is measured (`--import`): at SIGUSR2 it collects all garbage and writes what is left to the
 * file that the query names.
 */
const file = new URL(import.meta.url).searchParams.get('file') ?? '';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

process.on('SIGUSR2', () => {
  if (typeof collect !== 'function') throw new TypeError('garbage cannot be collected');
  // What the first one finalizes is let go of by the second one.
  collect();
  setImmediate(() => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ heapUsed, external }));
    renameSync(`${file}.new`, file);
  });
});
