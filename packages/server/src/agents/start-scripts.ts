import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { AppError } from '../errors.ts';
import { packageFolder } from '../package-folder.ts';

/** A script that may start an agent server. */
export interface StartScript {
  /** Its file name; by this it is chosen. */
  readonly name: string;
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Path of the shell that runs it. */
  readonly shell: string;
}

/** Chooses a script by whether the session has a repository. */
export const AUTOMATIC_SCRIPT = 'auto';
/** Chooses none: the agent server is started directly. */
export const NO_SCRIPT = 'none';

const WITHOUT_REPOSITORY = 'agentapi_default.sh';
const WITH_REPOSITORY = 'agentapi_with_github.sh';
const SHIPPED: readonly string[] = [WITHOUT_REPOSITORY, WITH_REPOSITORY];

/** No slash, no leading dot or hyphen: never a path, never an option. */
const SCRIPT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,123}\.sh$/;
/** Others may change it. */
const WRITABLE_BY_OTHERS = 0o022;
/** In such a folder files can be replaced by their owners only. */
const STICKY = 0o1000;

export interface StartScriptsOptions {
  /** Folder of the operator's scripts; `null` = only those that come with the program. */
  readonly folder: string | null;
  /** Script of sessions that ask for none: a name, `auto` or `none`. */
  readonly standard: string;
  /** Path of bash; `null` when the machine has none: then agent servers are started directly. */
  readonly shell: string | null;
}

/**
 * The scripts that sessions may be started with: those that come with the program, and every regular file `*.sh` in
 * the operator's folder. A file there that has the name of one of ours takes its place. The folder is read whenever a
 * script is chosen, so a change needs no restart.
 */
export class StartScripts {
  readonly #folder: string | null;
  readonly #standard: string;
  readonly #shell: string | null;

  private constructor({ folder, standard, shell }: StartScriptsOptions) {
    this.#folder = folder;
    this.#standard = standard;
    this.#shell = shell;
  }

  /** @throws ConfigError when the folder or the standard script cannot be used. */
  static async open(options: StartScriptsOptions): Promise<StartScripts> {
    const scripts = new StartScripts(options);
    if (options.folder !== null) await checkFolder(options.folder);
    try {
      if (options.standard !== AUTOMATIC_SCRIPT) await scripts.check(options.standard);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new ConfigError([{ place: 'script', text: error.message }], { cause: error });
    }
    return scripts;
  }

  /**
   * Checks the name that a request or a profile gives.
   * @throws AppError `script_not_allowed`, naming those that are, or saying what is wrong with the file.
   */
  async check(name: string): Promise<void> {
    if (name === NO_SCRIPT && this.#standard === NO_SCRIPT) return;
    await this.#locate(name);
  }

  /**
   * The script of a session; `null` = none, its agent server is started directly.
   * @param wanted - of its request or profile; `null` when they name none.
   * @throws AppError `script_not_allowed`
   */
  async choose(wanted: string | null, hasRepository: boolean): Promise<StartScript | null> {
    const name = wanted ?? this.#standard;
    if (name === NO_SCRIPT && this.#standard === NO_SCRIPT) return null;
    const automatic = hasRepository ? WITH_REPOSITORY : WITHOUT_REPOSITORY;
    const chosen = name === AUTOMATIC_SCRIPT ? automatic : name;
    const path = await this.#locate(chosen);
    return this.#shell === null ? null : { name: chosen, path, shell: this.#shell };
  }

  /** Names of the scripts that can be chosen, sorted. */
  async names(): Promise<readonly string[]> {
    const own = this.#folder === null ? [] : await readdir(this.#folder).catch(() => []);
    return [...new Set([...SHIPPED, ...own.filter((name) => SCRIPT_NAME.test(name))])].toSorted();
  }

  async #locate(name: string): Promise<string> {
    if (!SCRIPT_NAME.test(name)) throw await this.#unknown(name);
    if (this.#folder !== null) {
      const path = await ownScript(this.#folder, name);
      if (path !== null) return path;
    }
    if (!SHIPPED.includes(name)) throw await this.#unknown(name);
    return join(packageFolder(), 'scripts', name);
  }

  async #unknown(name: string): Promise<AppError> {
    const shown = JSON.stringify(name.slice(0, 200));
    return refusal(`There is no script ${shown}; allowed scripts: ${(await this.names()).join(', ')}`);
  }
}

/**
 * Finds a file of the operator's folder, which must be as safe from other users as the configuration.
 * @returns its real path; `null` when there is none of this name.
 */
async function ownScript(folder: string, name: string): Promise<string | null> {
  let path: string;
  try {
    path = await realpath(join(folder, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw refusal(`The script ${name} cannot be read`, error);
  }
  if (!path.startsWith(`${await realpath(folder)}${sep}`)) {
    throw refusal(`The script ${name} is a link that leads out of scripts_dir`);
  }
  if (!(await stat(path)).isFile()) throw refusal(`The script ${name} is not a regular file`);
  for (const place of [path, dirname(path)]) {
    const fault = await faultOf(place);
    if (fault !== null) throw refusal(`The script ${name} cannot be used: ${fault}`);
  }
  return path;
}

async function checkFolder(folder: string): Promise<void> {
  let text: string | null;
  try {
    text = (await stat(folder)).isDirectory() ? await faultOf(folder) : `${folder} is not a folder`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    text = `${folder} cannot be read: ${why}`;
  }
  if (text !== null) throw new ConfigError([{ place: 'scripts_dir', text }]);
}

/** Why others could change what a file or folder holds; `null` when they cannot. */
async function faultOf(path: string): Promise<string | null> {
  const { mode, uid } = await stat(path);
  const ownUid = process.getuid?.();
  if (ownUid !== undefined && uid !== ownUid && uid !== 0)
    return `${path} belongs to another user (uid ${uid})`;
  if ((mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0) return null;
  const shown = (mode & 0o777).toString(8);
  return `${path} can be changed by other users (mode ${shown}); run: chmod go-w ${path}`;
}

function refusal(message: string, cause?: unknown): AppError {
  return new AppError('script_not_allowed', { message, cause, details: { field: 'script' } });
}
