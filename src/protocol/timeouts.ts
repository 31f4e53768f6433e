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
