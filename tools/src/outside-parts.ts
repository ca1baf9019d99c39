import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs that tests use and the installation of the dependencies does not bring. */
export type OutsidePart = 'postgresql' | 'chromium' | 'nginx' | 'agentapi' | 'cyberian' | AgentProgram;

/** Real agents that sessions run in tests. */
export type AgentProgram = 'gemini' | 'qwen';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where the preparation leaves what it built and learned. */
export const CACHE_FOLDER = join(root, '.cache');

/** Holds the real agents, apart from our own dependencies: nobody who uses the product needs them. */
export const AGENTS_FOLDER = join(CACHE_FOLDER, 'agents');

/** Where each agent comes from: exact versions, because every one draws its screen a little differently. */
export const AGENT_PACKAGES: Readonly<Record<AgentProgram, { name: string; version: string }>> = {
  gemini: { name: '@google/gemini-cli', version: '0.61.0' },
  qwen: { name: '@qwen-code/qwen-code', version: '0.15.10' },
};

/** Holds cyberian, a published client of agentapi, in a Python environment of its own. */
export const CLIENT_FOLDER = join(CACHE_FOLDER, 'agentapi-client');

/** Why a part could not be had although its installation was tried; written by the preparation. */
export const UNOBTAINABLE_FILE = join(CACHE_FOLDER, 'unobtainable.json');

/** Finds the program that stands for a part; `null` when it is not installed. */
export function findPart(part: OutsidePart): string | null {
  switch (part) {
    case 'postgresql':
      return findInPath('initdb') ?? findDebianPostgres();
    case 'chromium':
      return findInPath('chromium') ?? findInPath('chromium-browser');
    case 'nginx':
      // Debian keeps it in a folder that only administrators have in their PATH.
      return findInPath('nginx') ?? executable('/usr/sbin/nginx');
    case 'agentapi':
      return findInPath('agentapi') ?? executable(join(CACHE_FOLDER, 'bin', 'agentapi'));
    case 'cyberian':
      return executable(join(CLIENT_FOLDER, 'bin', 'cyberian'));
    case 'gemini':
    case 'qwen':
      return findAgent(part);
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
function findAgent(agent: AgentProgram): string | null {
  const { name, version } = AGENT_PACKAGES[agent];
  const modules = join(AGENTS_FOLDER, 'node_modules');
  const manifest = join(modules, name, 'package.json');
  if (!existsSync(manifest)) return null;
  const content: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  const isWanted =
    typeof content === 'object' && content !== null && 'version' in content && content.version === version;
  return isWanted ? executable(join(modules, '.bin', agent)) : null;
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
