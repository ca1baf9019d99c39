import { readdirSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isWorkspaceName } from './workspace-name.ts';

/** The folders and files that belong to one session; all of them private to the server's user. */
export interface Workspace {
  /** Everything of the session lies below it. */
  readonly root: string;
  /** Working directory of the agent. */
  readonly directory: string;
  /** Output of the session's processes. */
  readonly logPath: string;
  /** The conversation, as the agent server keeps it. */
  readonly statePath: string;
  /** The last report of the agent server. */
  readonly exitReportPath: string;
}

/** Makes and removes the folder of each session below `<data_dir>/sessions`. */
export class Workspaces {
  readonly #base: string;

  /** @param dataDir - the server's data folder, present and private. */
  constructor(dataDir: string) {
    this.#base = join(dataDir, 'sessions');
  }

  /**
   * Where the workspace of a session is or would be.
   * @param name - of a folder that is yet to be made.
   */
  locate(sessionId: string, name?: string): Workspace {
    const root = join(this.#base, sessionId);
    return {
      root,
      directory: join(root, namedFolder(root, sessionId) ?? name ?? 'workspace'),
      logPath: join(root, 'session.log'),
      statePath: join(root, 'conversation.json'),
      exitReportPath: join(root, 'exit-report.json'),
    };
  }

  /**
   * Creates an empty workspace, mode 0700 (PX-087, PX-228).
   * @param name - of its folder, from `workspaceNameOf`; `workspace` by default.
   */
  async prepare(sessionId: string, name?: string): Promise<Workspace> {
    const workspace = this.locate(sessionId, name);
    await mkdir(this.#base, { recursive: true, mode: 0o700 });
    await mkdir(workspace.directory, { recursive: true, mode: 0o700 });
    // The umask may have taken rights away from the owner or, on an existing folder, left others in.
    await Promise.all([this.#base, workspace.root, workspace.directory].map((path) => chmod(path, 0o700)));
    return workspace;
  }

  /** Removes everything of a session; nothing to remove is fine. */
  async remove(sessionId: string): Promise<void> {
    await rm(this.locate(sessionId).root, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Whether the working directory of a session is there, with files in it or not. */
  async isThere(sessionId: string): Promise<boolean> {
    try {
      return (await stat(this.locate(sessionId).directory)).isDirectory();
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** Whether an agent left files behind; without them nobody loses anything with the workspace. */
  async holdsFiles(sessionId: string): Promise<boolean> {
    return (await entriesOf(this.locate(sessionId).directory)).length > 0;
  }

  /** Removes the files of a session; its log and its conversation stay. */
  async removeFiles(sessionId: string): Promise<void> {
    await rm(this.locate(sessionId).directory, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Ids of all sessions that have a folder. */
  async list(): Promise<readonly string[]> {
    return entriesOf(this.#base);
  }

  /**
   * Clears away what is left of sessions that nobody knows any more: folders in which no agent left a file are
   * removed, the others are somebody's work and stay.
   * @returns the folders that stay.
   */
  async sweep(unknown: Iterable<string>): Promise<readonly string[]> {
    const kept: string[] = [];
    for (const id of unknown) {
      if (await this.holdsFiles(id)) kept.push(this.locate(id).directory);
      else await this.remove(id);
    }
    await rmdir(this.#base).catch(() => undefined);
    return kept;
  }
}

/** A named workspace says itself which of the folders it is; synchronous, because there are four entries at most. */
function namedFolder(root: string, sessionId: string): string | undefined {
  try {
    const entries = readdirSync(root, { withFileTypes: true });
    return entries.find((entry) => entry.isDirectory() && isWorkspaceName(entry.name, sessionId))?.name;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function entriesOf(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
