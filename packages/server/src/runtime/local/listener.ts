import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Value of the state column of a listening socket in `/proc/net/tcp`. */
const LISTEN = '0A';

/**
 * Whether one of the processes listens on a TCP port: an answer on the port alone proves nothing, it
 * may come from a program that grabbed the number (DF-22, PX-094). Where there is no `/proc` it cannot
 * be told, and the answer is yes.
 */
export function listensOn(port: number, pids: Iterable<number>): boolean {
  if (process.platform !== 'linux') return true;
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return false;
  for (const pid of pids) if (holdsSocket(pid, inodes)) return true;
  return false;
}

function listeningInodes(port: number): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = orElse(() => readFileSync(table, 'latin1'), '');
    for (const line of text.split('\n').slice(1)) {
      if (!line.includes(suffix)) continue;
      const columns = line.trim().split(/\s+/);
      const [, local, , state] = columns;
      const inode = columns[9];
      if (state === LISTEN && local?.endsWith(suffix) === true && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  for (const descriptor of orElse(() => readdirSync(folder), [])) {
    const target = orElse(() => readlinkSync(`${folder}/${descriptor}`), '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

/** Synchronous, because these files are made in memory and a trip through the thread pool costs ten times as much; what is gone meanwhile, or not ours, has nothing to say. */
function orElse<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
