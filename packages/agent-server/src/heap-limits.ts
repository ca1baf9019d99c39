import { setFlagsFromString } from 'node:v8';

const FLAGS = [
  // The young generation keeps the size that it has after the start, about 4 MB, instead of up to 48.
  '--semi-space-growth-factor=1',
  // The old one is collected when it has grown by half (at least by 8 MB), not fourfold.
  '--heap-growing-percent=50',
];

/**
 * Makes the garbage collector of this process prefer a small heap, from now on. There is one agent
 * server for every agent, and V8's defaults let one whose agent is busy grow to 105 MB (Node 20) or
 * 170 MB (Node 24) before they collect what is nearly all garbage. With these limits it stays below
 * 75 and 97 MB, at the same processor time (docs/performance.md).
 *
 * To be called once the server has started: V8 takes the code cache of Node's own modules only while no
 * such option is set, which makes 20 ms of every start. A later V8 that knows an option no more says so
 * on stderr, and goes on.
 */
export function limitHeap(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
