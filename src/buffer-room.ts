// Room for the memory of Buffers. V8 counts what they took since the last full collection as growth of the heap, of which
// it allows some 12 MB where 10 are in use: in a transfer it looks through all of the heap every 15 MB, at up to half of
// the CPU time. Young Buffers have a collection of their own, which is cheap, and comes only when they take 32 MB.

import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** How much the heap may grow between full collections, in bytes: behind 64 MB of Buffers V8 begins one anyway. */
const ROOM_BYTES = 64_000_000;
/** Below this V8 is left to itself: it allows about as much. */
const LEAST_PERCENT = 50;
/** Of Nodes 20 and 22. V8 13, of Node 24, counts Buffers otherwise; one that lacks the option complains on stderr. */
export const KNOWN_V8 = /^1[12]\./;

/**
 * For all of the process, and for good: to be called once, by who owns it. From then on Node compiles modules of its own
 * that it loads, since the compiled ones it has are for other flags.
 * @returns whether this V8 can be told
 */
export function makeRoomForBuffers(v8 = process.versions.v8): boolean {
  if (!KNOWN_V8.test(v8)) return false;
  // At the end of a full collection V8 takes the growth from the flag, as a share of what is in use: told after each, it
  // has a share that fits by the next.
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isFull)) tell();
  });
  observer.observe({ entryTypes: ['gc'] });
  tell();
  return true;
}

function isFull(entry: object): boolean {
  const { detail } = entry as { readonly detail?: { readonly kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

function tell(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent(getHeapStatistics().used_heap_size)}`);
}

/** How much the heap may grow, in per cent; 0 leaves it to V8. */
export function growthPercent(usedBytes: number): number {
  const percent = Math.ceil((100 * ROOM_BYTES) / usedBytes);
  return percent < LEAST_PERCENT ? 0 : percent;
}
