// Waits for a state that no event announces, such as a count that is back to zero.

import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when `condition` holds; looks every few milliseconds. Mocha's time-out ends a wait in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(5);
}
