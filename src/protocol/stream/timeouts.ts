// How long a stream waits, for what, in milliseconds.

/** An exit from which nothing at all is heard for this long after CONNECT isn't there. */
export const SILENT_EXIT_MS = 8_000;
/** An exit that is there gets this long to reach its target, a little more than the time-out of its own dial. */
export const OPEN_TIMEOUT_MS = 30_000;
/** A first answer that took longer waited for the exit's dial, and says nothing about the way. */
export const MAX_FIRST_SAMPLE_MS = 500;
/** A RESET that no link takes for this long is not sent at all. */
export const RESET_TIMEOUT_MS = 10_000;
/** CONNECT is small: repeats come at most this far apart. */
export const MAX_CONNECT_PAUSE_MS = 2_000;
/** What waits for the peer without progress for this long ends the stream. */
export const STALL_TIMEOUT_MS = 60_000;
/** Where round trips are so long that this is longer, so many time-outs are waited for instead. */
export const STALL_REPEATS = 12;
/** An exit of which nothing is known, and which is silent for this long, may know NIP-443 alone. */
export const PLAIN_WAIT_MS = 3_000;
/** Where it isn't heard of by then either, it isn't there. Streams of the Go program have died by then. */
export const SILENT_PLAIN_MS = 10_000;
/**
 * How long an exit that is treated as one of NIP-443 may still turn out to speak reliable streams: one known for
 * NIP-443 may have been replaced, and would answer at once; one known for reliable streams may just be slow.
 */
export const PLAIN_TRIALS_MS = { plain: 1_500, unknown: 3_000, reliable: undefined } as const;
/** Once the peer's kind was learned from its events: what was sent before is with the relays by then. */
export const PLAIN_LEARNED_MS = 250;
/** A NIP-443 peer never ends a stream: it is over after so much silence, or this much once our side has ended. */
export const PLAIN_IDLE_MS = 120_000;
export const PLAIN_ENDED_MS = 30_000;
/** What all relays refused is tried again, at growing intervals, and not without end. */
export const PLAIN_RETRY_MS = 100;
export const PLAIN_LONGEST_RETRY_MS = 1_000;
export const PLAIN_GIVE_UP_MS = 10_000;
/** The Go program's entry subscribes as it sends its first data, and misses an answer that is quicker than that. */
export const PLAIN_FIRST_REPLY_MS = 150;
