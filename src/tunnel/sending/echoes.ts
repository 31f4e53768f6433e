// Our own events as relays deliver them: once one has come back to us, the peer has it too, or will in the same
// moment. Only where a peer handles what arrives together in any order is that worth the traffic. While somebody
// listens for echoes, a relay that says `mute:` doesn't, so nobody does without need.

import { inTime } from '../../common/waiting.js';
import { KIND } from '../../protocol/wire/events.js';
import type { RelayLink, Subscription } from '../../relay/link.js';

/** Relays deliver within 100 ms or so; some never deliver to the author. */
const ECHO_WAIT_MS = 400;
/** Echoes that a relay may owe before it isn't waited for any more, but for a pause. */
const MAX_MISSES = 2;
const PAUSE_MS = 60;

interface Watch {
  readonly subscription: Subscription;
  readonly waiting: Map<string, () => void>;
  misses: number;
}

export interface Echo {
  /** Call when the relay has taken the event. Resolves when it came back, or didn't in time. */
  arrived(): Promise<void>;
  /** The relay hasn't taken it. */
  cancel(): void;
}

export class Echoes {
  readonly #ours: string;
  readonly #theirs: string;
  readonly #watches = new Map<RelayLink, Watch>();

  /** Of events by `ours` to `theirs`, pubkeys in hex. */
  constructor(ours: string, theirs: string) {
    this.#ours = ours;
    this.#theirs = theirs;
  }

  /** To be called before the event is published. */
  expect(link: RelayLink, eventId: string): Echo {
    const watch = this.#watches.get(link) ?? this.#watch(link);
    const echo = new Promise<'echo'>((resolve) =>
      watch.waiting.set(eventId, () => resolve('echo')),
    );
    return {
      arrived: async () => {
        const isOwing = watch.misses >= MAX_MISSES;
        const outcome = await inTime(echo, isOwing ? PAUSE_MS : ECHO_WAIT_MS);
        watch.waiting.delete(eventId);
        watch.misses = outcome === 'echo' ? 0 : watch.misses + 1;
      },
      cancel: () => watch.waiting.delete(eventId),
    };
  }

  #watch(link: RelayLink): Watch {
    const waiting = new Map<string, () => void>();
    const filter = { kinds: [KIND.message], authors: [this.#ours], '#p': [this.#theirs], limit: 0 };
    const subscription = link.subscribe([filter], {
      // Not verified: a relay that makes up echoes only spoils the order that it is asked to keep.
      onEvent: ({ id }) => {
        waiting.get(id)?.();
        link.delivered(id);
      },
    });
    const watch = { subscription, waiting, misses: 0 };
    this.#watches.set(link, watch);
    return watch;
  }

  /** Stops listening; `expect` starts it again. */
  close(): void {
    for (const { subscription, waiting } of this.#watches.values()) {
      subscription.close();
      for (const resolve of waiting.values()) resolve();
    }
    this.#watches.clear();
  }
}
