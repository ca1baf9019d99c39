import { spawn } from 'node:child_process';
import { mkdir, open, stat } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { Duplex } from 'node:stream';
import { identityOf, SESSION_MARKER } from '@agentapi-proxy/agent-server/process-tree';
import type { ProcessIdentity } from '@agentapi-proxy/agent-server/process-tree';
import { LaunchError } from '../runtime.ts';
import type { LaunchSpec } from '../runtime.ts';

/** How a process ended; exactly one of the two is not null. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A started agent server. */
export interface SpawnedProcess {
  readonly identity: ProcessIdentity;
  /** The channel on the child's descriptor 3; `null` without one. */
  readonly control: Duplex | null;
  /** Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Length of the log before this start. */
  readonly logStart: number;
  /** The process no longer keeps this one from ending. */
  readonly unref: () => void;
}

/**
 * Starts a program in a terminal session of its own, with nothing of ours but the descriptors it is
 * meant to have: no input, the log for output, and on request the control channel on descriptor 3.
 * @throws LaunchError when the program cannot be executed.
 */
export async function spawnProcess(spec: LaunchSpec, port: number, marker: string): Promise<SpawnedProcess> {
  if (!(await isDirectory(spec.cwd)))
    throw new LaunchError('The working directory of the session is missing');
  await mkdir(dirname(spec.logPath), { recursive: true, mode: 0o700 });
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const log = await open(spec.logPath, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    const logStart = (await log.stat()).size;
    const child = spawn(spec.command, [...spec.args(port)], {
      cwd: spec.cwd,
      env: { ...spec.env, [SESSION_MARKER]: marker },
      detached: true,
      stdio: ['ignore', log.fd, log.fd, ...(spec.control ? (['pipe'] as const) : [])],
    });
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        if (child.pid === undefined) reject(notExecutable(spec.command, error));
      });
    });
    const exited = new Promise<ProcessExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    if (child.pid === undefined) return await failed;
    failed.catch(() => undefined);
    // Asked before this turn ends: a child that has ended at once is still known to the kernel. One that cannot be
    // looked at is found by its marker.
    const identity = await identityOf(child.pid).catch(() => null);
    const control = child.stdio[3];
    return {
      identity: identity ?? { pid: child.pid, startTime: '', bootId: '' },
      control: control instanceof Duplex ? control : null,
      exited,
      logStart,
      unref: () => child.unref(),
    };
  } finally {
    await log.close();
  }
}

function notExecutable(command: string, error: NodeJS.ErrnoException): LaunchError {
  const why = error.code === 'ENOENT' ? 'there is no such program' : (error.code ?? error.message);
  return new LaunchError(`${command} cannot be executed: ${why}`, { cause: error });
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
