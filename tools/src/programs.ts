import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildIfChanged, ROOT } from './build-if-changed.ts';
import { withAllNotices } from './notices.ts';

/** A package whose programs are published as bundles of what the compiler made. */
interface Programs {
  /** Folder of the package. */
  readonly folder: string;
  /** Bundles, by their names, and the compiled module that each is made of. */
  readonly entries: Readonly<Record<string, string>>;
  /** Packages of this repository that go into them. */
  readonly parts: readonly string[];
}

const PROGRAMS: Readonly<Record<string, Programs>> = {
  'agent-server': {
    folder: 'packages/agent-server',
    entries: { bin: 'bin.js', 'demo-agent': 'demo-agent/bin.js', 'command-line': 'command-line.js' },
    parts: [],
  },
  server: {
    folder: 'packages/server',
    entries: { bin: 'bin.js' },
    parts: ['packages/agent-server', 'packages/client'],
  },
};

/** What the authors of everything in the bundles ask to be published with them. */
const NOTICES = 'licenses.txt';

/** What stays a package of its own; each is a dependency of the package that it is not bundled into. */
const EXTERNAL: readonly string[] = [
  // Native code, which lies beside its package.
  'better-sqlite3',
  // A program of its own, and needs native code.
  '@agentapi-proxy/agent-server/command-line',
  // An operator's OpenTelemetry SDK must meet us in the one copy that both use, and what it hooks must be a package.
  '@opentelemetry/api',
  'pg',
];

/**
 * Bundles every program into the folder `dist/program` of its package, so that its start opens a few files instead of a
 * thousand. Parts that are imported later stay files of their own, names stay as they are, and beside the bundles lie
 * the notices of everything in them. A program that is as it was is not bundled again.
 */
export async function buildPrograms(): Promise<void> {
  for (const [name, programs] of Object.entries(PROGRAMS)) await buildOne(name, programs);
}

async function buildOne(name: string, { folder, entries, parts }: Programs): Promise<void> {
  const compiled = [folder, ...parts];
  const built = compiled.map((path) => `${path}/dist/`);
  await buildIfChanged({
    name: `programs-of-${name}`,
    target: `${folder}/dist/program`,
    mark: 'bin.js',
    inputs: [
      ...compiled.flatMap((path) => [`${path}/dist`, `${path}/package.json`]),
      'package-lock.json',
      'tools/src/programs.ts',
      'tools/src/notices.ts',
    ],
    isInput: (path) =>
      !built.some((dist) => path.startsWith(dist)) ||
      (path.endsWith('.js') && !/\/dist\/(?:program|console|\.[^/]*)\//u.test(path)),
    fill: async (target) => {
      // Takes half a second to load; mostly there is nothing to do.
      const { build } = await import('vite');
      await build({
        configFile: false,
        root: ROOT,
        publicDir: false,
        logLevel: 'warn',
        ssr: { noExternal: true },
        build: {
          ssr: true,
          outDir: target,
          emptyOutDir: false,
          target: 'node20.19',
          minify: false,
          license: { fileName: NOTICES },
          rolldownOptions: {
            input: Object.fromEntries(
              Object.entries(entries).map(([entry, module]) => [entry, join(ROOT, folder, 'dist', module)]),
            ),
            external: [...EXTERNAL],
            output: {
              entryFileNames: '[name].js',
              chunkFileNames: '[name].js',
              // They are read at every start.
              comments: { jsdoc: false },
            },
          },
        },
      });
      const notices = join(target, NOTICES);
      await writeFile(notices, await withAllNotices(await readFile(notices, 'utf8')));
    },
  });
}
