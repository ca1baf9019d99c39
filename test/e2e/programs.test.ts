import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readNotices } from '../../tools/src/notices.ts';
import { ROOT } from '../support/documents.ts';

/** Licences whose terms are met by publishing their text, so that the whole stays under MIT. */
const COMPATIBLE = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'];

/** The bundler writes where each part comes from. */
const ORIGIN = /^\s*\/\/ \S*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\/\S+$/gmu;

/** A package that is imported, or required in one of the ways that bundles have. */
const IMPORTED =
  /(?:^(?:import|export) (?:[^"'\n]* from )?|\bimport\(|\b__require\(|createRequire\(import\.meta\.url\)(?:\.resolve)?\()["']([^"'.\n][^"'\n]*)["']/gmu;

const manifestSchema = z.object({ name: z.string(), dependencies: z.record(z.string(), z.string()) });

async function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}

async function bundleText(folder: string): Promise<string> {
  const files = (await readdir(join(ROOT, folder))).filter((file) => file.endsWith('.js'));
  return (await Promise.all(files.map(async (file) => read(join(folder, file))))).join('\n');
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return [...new Set(Array.from(text.matchAll(pattern), ([, name = '']) => name))].toSorted();
}

describe.each(['packages/server', 'packages/agent-server'])('the bundles of %s', (folder) => {
  const program = join(folder, 'dist/program');

  test('have beside them the notice of everything that is in them, under a licence that permits it', async () => {
    const notices = readNotices(await read(join(program, 'licenses.txt')));
    const bundled = matches(await bundleText(program), ORIGIN);
    expect(bundled).toContain('zod');
    const named = new Set(notices.map(({ name }) => name));
    expect(bundled.filter((name) => !named.has(name))).toEqual([]);
    for (const { name, licence, text } of notices) {
      expect([name, COMPATIBLE]).toEqual([name, expect.arrayContaining([licence])]);
      expect([name, text]).toEqual([name, expect.stringMatching(/copyright|permission|licen[cs]e/iu)]);
    }
  });

  test('import nothing but Node and the dependencies of their package', async () => {
    const { name, dependencies } = manifestSchema.parse(JSON.parse(await read(join(folder, 'package.json'))));
    const imported = matches(await bundleText(program), IMPORTED).filter(
      (module) => !module.startsWith('node:') && !builtinModules.includes(module),
    );
    const packages = imported.map((module) => /^(?:@[^/]+\/)?[^/]+/u.exec(module)?.[0] ?? module);
    expect(packages.length).toBeGreaterThan(1);
    const known = [name, ...Object.keys(dependencies)];
    expect(packages.filter((each) => !known.includes(each))).toEqual([]);
  });
});

test('the modules that @agentapi-proxy/agent-server exports come with all that they import, and nothing else', async () => {
  const folder = 'packages/agent-server';
  const { exports } = z
    .object({ exports: z.record(z.string(), z.union([z.string(), z.object({ default: z.string() })])) })
    .parse(JSON.parse(await read(join(folder, 'package.json'))));
  const exported = Object.values(exports).map((each) => (typeof each === 'string' ? each : each.default));
  const needed = new Set<string>();
  const look = async (path: string): Promise<void> => {
    if (needed.has(path) || path.startsWith('dist/program/')) return;
    needed.add(path);
    const text = await read(join(folder, path));
    for (const [, target = ''] of text.matchAll(/(?:from |import\()'(\.[^']+)'/gu)) {
      await look(join(dirname(path), target));
    }
  };
  for (const path of exported) await look(join('.', path));

  const { files } = z
    .object({ files: z.array(z.string()) })
    .parse(JSON.parse(await read(join(folder, 'package.json'))));
  const modules = files.filter((path) => path.startsWith('dist/') && path !== 'dist/program');
  expect(modules.toSorted()).toEqual([...needed].map((path) => path.replace(/\.js$/u, '.*')).toSorted());
});

test('a call that is made for its effect on memory alone has not been left out as useless', async () => {
  expect(await bundleText('packages/server/dist/program')).toContain('new ArrayBuffer(1)');
});
