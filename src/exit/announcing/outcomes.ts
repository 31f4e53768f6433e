// What relays say to the events that an exit publishes about itself: a line in the log for a change, not for
// every repetition.

import type { Logger } from 'pino';
import type { PublishResult } from '../../relay/link.js';

export class Outcomes {
  readonly #log: Logger;
  /** What was last logged, by relay and what was published. */
  readonly #outcomes = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param what `certificate`, as the user is to read it */
  report(what: string, relay: string, { ok, reason }: PublishResult): void {
    // The link went down: it is published again when it comes back.
    if (!ok && reason.startsWith('error:')) return;
    // Without the prose: some relays count down the seconds in it.
    const outcome = ok ? 'accepted' : `refused: ${reason.split(':', 1)[0]}`;
    if (this.#outcomes.get(`${what} ${relay}`) === outcome) return;
    this.#outcomes.set(`${what} ${relay}`, outcome);
    if (ok) this.#log.info({ relay }, `${what} published`);
    else
      this.#log.warn({ relay, reason }, `relay refuses the ${what}; clients can't find it there`);
  }
}
