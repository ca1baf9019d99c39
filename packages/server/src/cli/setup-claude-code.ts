import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { findProgram } from '../agents/find-program.ts';
import { ConfigError } from '../config/config-error.ts';
import { parseJson } from '../config/json-file.ts';
import { EXIT } from './cli-context.ts';
import type { CliContext } from './cli-context.ts';

/** Options of `helpers setup-claude-code`. */
export interface SetupClaudeCodeFlags {
  readonly claudeDir?: string;
}

/** Written into the folder's own settings. */
const SETTINGS = { dontCrawlDirectory: true, hasTrustDialogAccepted: true } as const;

/** What Claude Code remembers of a folder in its own configuration once its questions are answered. */
const ANSWERS = {
  hasTrustDialogAccepted: true,
  hasCompletedProjectOnboarding: true,
  dontCrawlDirectory: true,
} as const;

interface JsonObject {
  readonly [name: string]: unknown;
}

/** The folder or a file in the way; `message` says what would help. */
class SetupError extends Error {
  override readonly name = 'SetupError';
}

/**
 * `helpers setup-claude-code` (proxy-api section 1.2): answers Claude Code's questions about one folder in advance.
 * Both files are merged and replaced as a whole. The reference ran `claude config set`, which newer versions take for
 * a prompt (DF-46), so no program is run here.
 * @returns the exit code.
 */
export async function setupClaudeCode(flags: SetupClaudeCodeFlags, context: CliContext): Promise<number> {
  const { environment, stdout, stderr } = context;
  try {
    const named = flags.claudeDir ?? environment['CLAUDE_DIR'] ?? '';
    if (named === '') {
      throw new SetupError('name the folder that Claude Code shall work in, with --claude-dir or CLAUDE_DIR');
    }
    const folder = await folderOf(resolve(context.workingDirectory, named));
    const settings = join(folder, '.claude', 'settings.json');
    await mkdir(dirname(settings), { recursive: true, mode: 0o755 });
    await merge(settings, 0o644, (before) => ({ ...before, ...SETTINGS }));
    stdout.write(`wrote ${settings}\n`);

    const home = environment['CLAUDE_CONFIG_DIR'] ?? environment['HOME'] ?? '';
    if (home === '')
      throw new SetupError('HOME is not set, so the configuration of Claude Code is not found');
    const state = resolve(home, '.claude.json');
    await merge(state, 0o600, (before) => withAnswers(before, folder, state));
    stdout.write(`wrote ${state}\n`);

    const lookup = await findProgram('claude', environment['PATH'] ?? '', context.workingDirectory);
    if (lookup.kind === 'missing') {
      stderr.write(
        `agentapi-proxy: note: ${lookup.reason}. The settings take effect once it is installed.\n`,
      );
    }
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isExpected = error instanceof SetupError || error instanceof ConfigError || 'code' in error;
    if (!isExpected) throw error;
    stderr.write(`agentapi-proxy: ${error.message}\n`);
    return EXIT.failed;
  }
}

/** Its real path, which is what Claude Code knows it by. */
async function folderOf(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  const real = await realpath(path);
  if (!(await stat(real)).isDirectory()) throw new SetupError(`${path} is not a folder`);
  return real;
}

function withAnswers(before: JsonObject, folder: string, name: string): JsonObject {
  const projects = objectOr(before['projects'], `"projects" in ${name}`);
  const project = objectOr(projects[folder], `"projects" → ${JSON.stringify(folder)} in ${name}`);
  return { ...before, projects: { ...projects, [folder]: { ...project, ...ANSWERS } } };
}

/** Changes a JSON file in one step; what else it holds, and its mode, stay. @throws ConfigError, SetupError */
async function merge(path: string, mode: number, change: (before: JsonObject) => JsonObject): Promise<void> {
  // A link may be how somebody keeps the file elsewhere.
  const target = await realpath(path).catch(unlessMissing);
  const text = target === undefined ? '{}' : await readFile(target, 'utf8');
  const before = objectOr(parseJson(text, path).value, path);
  const after = `${JSON.stringify(change(before), null, 2)}\n`;
  const draft = `${target ?? path}.${randomUUID()}.new`;
  try {
    await writeFile(draft, after, { flag: 'wx', mode: 0o600, flush: true });
    await chmod(draft, target === undefined ? mode : (await stat(target)).mode & 0o777);
    await rename(draft, target ?? path);
  } finally {
    await rm(draft, { force: true });
  }
}

function objectOr(value: unknown, name: string): JsonObject {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new SetupError(`${name} is not a JSON object; nothing was changed there`);
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
