// Installs the programs that tests need and our own dependencies do not bring: through apt as root on
// Debian, else it prints the command; agents through npm. Tests of a missing part are skipped and counted.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AGENT_PACKAGES,
  AGENTS_FOLDER,
  CACHE_FOLDER,
  CLIENT_FOLDER,
  findInPath,
  findPart,
  UNOBTAINABLE_FILE,
} from './outside-parts.ts';

/** An installation from a slow mirror takes minutes; one that hangs must not hold up the tests for ever. */
const INSTALL_TIMEOUT_MS = 10 * 60_000;

const AGENTAPI_MODULE = 'github.com/coder/agentapi@v0.12.1';

/** A client of agentapi that others have written, under a licence that permits (BSD-3-Clause). */
const CLIENT_PACKAGE = 'cyberian==0.2.2';
/** What its commands need, and a reader of event streams; its pipelines, which need far more, are not used. */
const CLIENT_NEEDS = ['httpx==0.28.1', 'httpx-sse==0.4.3', 'typer==0.29.2', 'PyYAML==6.0.3'];

const unobtainable: Record<string, string> = {};

function run(command: string, args: readonly string[], env: Record<string, string> = {}): string | null {
  const result = spawnSync(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (result.status === 0) return null;
  const lastLine = result.stderr?.trim().split('\n').at(-1);
  return result.error?.message ?? lastLine ?? `exit code ${result.status}`;
}

function prepareDebianParts(): void {
  const packages = (['postgresql', 'chromium', 'nginx'] as const)
    .filter((part) => findPart(part) === null)
    .map((part) => (part === 'nginx' ? 'nginx-light' : part));
  if (packages.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (findInPath('apt-get') === null || process.getuid?.() !== 0) {
    console.log(`Tests that need ${packages.join(' and ')} will be skipped. To run them: sudo ${command}`);
    return;
  }
  console.log(`Installing ${packages.join(' and ')} for the tests (${command}) …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const failure =
    run('apt-get', ['update'], env) ??
    run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], env);
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
}

function prepareAgentapi(): void {
  if (findPart('agentapi') !== null) return;
  if (findInPath('go') === null) {
    console.log(`Tests beside the real agentapi will be skipped: Go is not installed.`);
    unobtainable['agentapi'] = 'Go is not installed';
    return;
  }
  console.log(`Installing ${AGENTAPI_MODULE} for the tests …`);
  const failure = run('go', ['install', AGENTAPI_MODULE], { GOBIN: join(CACHE_FOLDER, 'bin') });
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
  if (failure !== null) unobtainable['agentapi'] = failure;
}

function prepareClient(): void {
  if (findPart('cyberian') !== null) return;
  if (findInPath('python3') === null) {
    console.log('Tests with a published client of agentapi will be skipped: Python is not installed.');
    unobtainable['cyberian'] = 'Python is not installed';
    return;
  }
  console.log(`Installing ${CLIENT_PACKAGE} for the tests (about 60 MB) …`);
  const pip = join(CLIENT_FOLDER, 'bin', 'pip');
  const flags = ['install', '--quiet', '--disable-pip-version-check'];
  // The client last: it is what says that everything is there.
  const failure =
    run('python3', ['-m', 'venv', '--clear', CLIENT_FOLDER]) ??
    run(pip, [...flags, ...CLIENT_NEEDS]) ??
    run(pip, [...flags, '--no-deps', CLIENT_PACKAGE]);
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
  if (failure !== null) unobtainable['cyberian'] = failure;
}

/** Never unobtainable: who could install our own dependencies can install these. */
function prepareAgents(): void {
  const missing = (['gemini', 'qwen'] as const).filter((agent) => findPart(agent) === null);
  if (missing.length === 0) return;
  // All of them, because npm removes what is neither named nor recorded.
  const packages = Object.values(AGENT_PACKAGES).map(({ name, version }) => `${name}@${version}`);
  console.log(`Installing ${packages.join(' and ')} for the tests (about 150 MB) …`);
  mkdirSync(AGENTS_FOLDER, { recursive: true });
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const failure = run('npm', ['install', '--prefix', AGENTS_FOLDER, ...flags, ...packages]);
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
}

mkdirSync(CACHE_FOLDER, { recursive: true });
prepareDebianParts();
prepareAgentapi();
prepareAgents();
prepareClient();
writeFileSync(UNOBTAINABLE_FILE, `${JSON.stringify(unobtainable, null, 2)}\n`);
