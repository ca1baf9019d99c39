import { readdir, readFile, readlink } from 'node:fs/promises';

/** Value of the state column of a listening socket in `/proc/net/tcp`. */
const LISTEN = '0A';

/**
 * Whether one of the processes listens on a TCP port: an answer on the port alone proves nothing, it
 * may come from a program that grabbed the number (DF-22, PX-094). Where there is no `/proc` it cannot
 * be told, and the answer is yes.
 */
export async function listensOn(port: number, pids: readonly number[]): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return false;
  for (const pid of pids) if (await holdsSocket(pid, inodes)) return true;
  return false;
}

async function listeningInodes(port: number): Promise<ReadonlySet<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'latin1').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      const [, local, , state] = columns;
      const inode = columns[9];
      if (state === LISTEN && local?.endsWith(suffix) === true && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

async function holdsSocket(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`${folder}/${descriptor}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}
