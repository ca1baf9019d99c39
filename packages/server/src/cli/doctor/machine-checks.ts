import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import { findProgram } from '../../agents/find-program.ts';
import { ProcessTable } from '@agentapi-proxy/agent-server/process-tree';
import { reasonOf } from './finding.ts';
import type { Finding } from './finding.ts';
import { askVersion } from './program-version.ts';

/** The oldest Node.js that this package is tested with. */
const OLDEST_NODE = [20, 19] as const;

/** Descriptors of a session: its pipe, log, connection, and those of requests to it. */
const DESCRIPTORS_PER_SESSION = 8;
/** Descriptors that the server needs by itself. */
const DESCRIPTORS_AT_LEAST = 256;

/** The running Node.js. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needMajor, needMinor] = OLDEST_NODE;
  const isOk = major > needMajor || (major === needMajor && minor >= needMinor);
  return isOk
    ? { check: 'Node.js', verdict: 'ok', text: version }
    : {
        check: 'Node.js',
        verdict: 'broken',
        text: `${version} is too old`,
        advice: `Install Node.js ${OLDEST_NODE.join('.')} or later.`,
      };
}

/** Programs that sessions use besides their agents. */
export async function checkTools(searchPath: string): Promise<readonly Finding[]> {
  return Promise.all([
    checkTool('bash', searchPath, 'Install bash: start scripts and most agents run commands with it.'),
    checkTool('git', searchPath, 'Install git: sessions with a repository need it.'),
  ]);
}

async function checkTool(name: string, searchPath: string, advice: string): Promise<Finding> {
  const lookup = await findProgram(name, searchPath, '/');
  if (lookup.kind === 'missing') return { check: name, verdict: 'warning', text: lookup.reason, advice };
  const version = await askVersion(lookup.path, searchPath);
  return { check: name, verdict: 'ok', text: [version, lookup.path].filter(Boolean).join(', ') };
}

/** Whether the server can find the processes of its sessions. */
export async function checkProcessTable(): Promise<Finding> {
  const check = 'process table';
  try {
    const processes = await new ProcessTable().list();
    const own = processes.find(({ pid }) => pid === process.pid);
    if (own === undefined) throw new Error('this process is not in it');
    return own.bootId === ''
      ? {
          check,
          verdict: 'warning',
          text: 'there is no /proc, so ps is asked',
          advice: 'Processes that leave their session are not always found; Linux with /proc is better.',
        }
      : { check, verdict: 'ok', text: '/proc can be read' };
  } catch (error) {
    return {
      check,
      verdict: 'broken',
      text: `it cannot be read: ${reasonOf(error)}`,
      advice: 'Mount /proc, or install ps.',
    };
  }
}

/** How many files the server may have open. */
export async function checkOpenFiles(config: Config): Promise<Finding> {
  const check = 'open files';
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  if (soft === '' || soft === 'unlimited') {
    return { check, verdict: 'ok', text: soft === '' ? 'the limit is not known here' : 'no limit' };
  }
  const allowed = Number(soft);
  const sessions = Math.floor((allowed - DESCRIPTORS_AT_LEAST) / DESCRIPTORS_PER_SESSION);
  const { sessions_total: wanted } = config.limits;
  if (sessions < 1) {
    return {
      check,
      verdict: 'broken',
      text: `at most ${allowed}`,
      advice: 'Raise the limit: ulimit -n 65536',
    };
  }
  return sessions >= wanted
    ? { check, verdict: 'ok', text: `at most ${allowed}` }
    : {
        check,
        verdict: 'warning',
        text: `at most ${allowed}, enough for about ${sessions} sessions`,
        advice: 'Raise the limit (ulimit -n 65536), or lower limits.sessions_total.',
      };
}
