import { setFlagsFromString } from 'node:v8';

/** By how much the heap may grow before everything is collected, in percent; V8 itself takes between 10 and 300. */
const HEAP_GROWTH_PERCENT = 200;

/**
 * To be called once by a process that serves big bodies. What sockets read counts as growth of the heap, and V8 lets a
 * small heap grow by a few MB only: a server with 26 MB collected everything every 10 MB of an upload, which took three
 * quarters of its time. With this growth young objects are collected before (see {@link collectEarly}).
 */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
}

/**
 * To be called for every large piece that a socket hands over. Node reads each into memory of its own, which is garbage a
 * moment later. V8 counts such memory and starts a collection of everything when there is much of it, unless one of
 * young objects has come first, which costs a tenth. But V8 looks whether that is due only when JavaScript itself asks
 * for memory outside of the heap, and passing bytes on never does (Heap::AllocateExternalBackingStore in V8's heap.cc).
 * So this asks for a byte: an upload then takes a third of the processor time.
 */
export function collectEarly(): void {
  // What nobody looks at a bundler takes for useless, and leaves out.
  if (new ArrayBuffer(1).byteLength !== 1) throw new RangeError('no memory');
}
