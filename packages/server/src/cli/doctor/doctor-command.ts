import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { EXIT } from '../cli-context.ts';
import type { CliContext } from '../cli-context.ts';
import { Desk, printable } from '../client/desk.ts';
import { checkAgents, checkAgentServer } from './agent-checks.ts';
import { checkDataFolder, checkStore } from './data-checks.ts';
import { reasonOf } from './finding.ts';
import type { Finding, Verdict } from './finding.ts';
import { checkKeysFile } from './keys-file-check.ts';
import { checkNode, checkOpenFiles, checkProcessTable, checkTools } from './machine-checks.ts';
import { checkListenPort, checkSessionPorts } from './port-checks.ts';

export interface DoctorFlags {
  readonly config?: string;
  readonly json?: boolean;
  /** False with `--no-color`. */
  readonly color?: boolean;
}

const SIGNS: Readonly<Record<Verdict, string>> = { ok: '✔', warning: '!', broken: '✘' };

/**
 * `doctor`: looks whether this machine can run the server as configured. Changes nothing, shows no secrets. Answers 1
 * when something is broken that the configuration needs, 2 when the configuration itself is wrong.
 */
export async function runDoctor(flags: DoctorFlags, context: CliContext): Promise<number> {
  const desk = new Desk({
    streams: context.openStreams(),
    environment: context.environment,
    json: flags.json === true,
    color: flags.color !== false,
  });
  const configured = configurationOf(flags, context);
  const findings: Finding[] = [checkNode(process.versions.node), ...configured.findings];
  if (configured.loaded !== null) {
    using _view = desk.wait('Looking at this machine');
    findings.push(...(await checkMachine(configured.loaded)));
  }
  const isBroken = findings.some(({ verdict }) => verdict === 'broken');
  desk.answer({ ok: !isBroken, findings }, () => linesOf(findings, desk));
  if (configured.loaded === null) return EXIT.badConfiguration;
  return isBroken ? EXIT.failed : EXIT.ok;
}

async function checkMachine({ config }: LoadedConfig): Promise<readonly Finding[]> {
  const searchPath = { ...config.inherited_environment, ...config.environment.set }['PATH'] ?? '';
  const checks: readonly (readonly [string, () => Promise<Finding | readonly Finding[]>])[] = [
    ['keys file', () => checkKeysFile(config)],
    ['data folder', () => checkDataFolder(config)],
    ['store', () => checkStore(config)],
    ['listening port', () => checkListenPort(config)],
    ['session ports', () => checkSessionPorts(config)],
    ['open files', () => checkOpenFiles(config)],
    ['process table', () => checkProcessTable()],
    ['tools', () => checkTools(searchPath)],
    ['agent server', () => checkAgentServer(config, searchPath)],
    ['agents', () => checkAgents(config, searchPath)],
  ];
  const found = await Promise.all(
    checks.map(async ([check, look]) => {
      try {
        return await look();
      } catch (error) {
        const failed: Finding = {
          check,
          verdict: 'broken',
          text: `it could not be checked: ${reasonOf(error)}`,
        };
        return failed;
      }
    }),
  );
  return found.flat();
}

function configurationOf(
  flags: DoctorFlags,
  context: CliContext,
): { readonly loaded: LoadedConfig | null; readonly findings: readonly Finding[] } {
  const check = 'configuration';
  const { environment, workingDirectory } = context;
  try {
    const loaded = loadConfig({ environment, workingDirectory, file: flags.config, flags: {} });
    const text = loaded.file ?? 'no file, so everything has its default';
    const oddities = loaded.warnings.map((warning): Finding => ({
      check,
      verdict: 'warning',
      text: warning,
    }));
    return { loaded, findings: [{ check, verdict: 'ok', text }, ...oddities] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { loaded: null, findings: [{ check, verdict: 'broken', text: error.message }] };
  }
}

function linesOf(findings: readonly Finding[], { paint }: Desk): readonly string[] {
  const dress = { ok: paint.green, warning: paint.yellow, broken: paint.red };
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(width + 4);
  const lines = findings.flatMap(({ check, verdict, text, advice }) => [
    `${dress[verdict](SIGNS[verdict])} ${check.padEnd(width)}  ${printable(text).replaceAll('\n', `\n${indent}`)}`,
    ...(advice === undefined ? [] : [`${indent}${paint.bold(advice)}`]),
  ]);
  const count = (verdict: Verdict): number => findings.filter((each) => each.verdict === verdict).length;
  const broken = count('broken');
  const warnings = count('warning');
  const summary =
    broken + warnings === 0
      ? 'Everything is as it should be.'
      : `${broken} broken, ${warnings} to look at, ${count('ok')} as they should be.`;
  return [...lines, '', summary];
}
