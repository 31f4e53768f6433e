// Every bound, time-out and default that more than one room uses: name, unit, reason.

/** Event size to assume for a relay of which nothing more is known: strfry's default, in bytes of normalised JSON. */
export const DEFAULT_EVENT_BYTES = 65_536;

/** Frame size to assume: strfry drops the connection for a longer WebSocket message. */
export const DEFAULT_FRAME_BYTES = 131_072;

/** An event whose created_at is further from now opens nothing; strfry refuses ephemerals that are older, too. */
export const MAX_SKEW_S = 60;

/** Version of reliable streams (PROTOCOL, part 2) that this program speaks: with 2, frames of bytes are read. */
export const STREAM_VERSION = 2;

/** What a stream may have in flight toward us: 40 MB/s at 200 ms of strfry and what acknowledgements and queues add. */
export const STREAM_WINDOW_BYTES = 12 * 1024 * 1024;

/** The same toward a peer that writes JSON, and needs half as many events more for the same bytes. */
export const JSON_WINDOW_BYTES = 8 * 1024 * 1024;

/** Beyond so much that has arrived acknowledgements don't wait to be worth an event. */
export const MAX_UNSAID_BYTES = 1.5 * 1024 * 1024;

/** First window of a new stream, which a peer may fill before it is answered (PROTOCOL, "Opening"). */
export const EARLY_DATA_BYTES = 65_536;

/**
 * Sum of what all streams of a process hold for reading. It also sizes their windows, and in events it is a third more: well
 * under the 32 MiB at which strfry cuts off a subscriber that is behind.
 */
export const TOTAL_WINDOW_BYTES = 14 * 1024 * 1024;

/** Sum of what all streams of a process may have sent and must keep until it is acknowledged. */
export const TOTAL_FLIGHT_BYTES = 64 * 1024 * 1024;

/** Streams of a process at once: with a few tens of kilobytes for each, and its connection, some 2 GB. */
export const MAX_STREAMS = 50_000;

/** Streams of one peer at once. */
export const MAX_STREAMS_PER_PEER = 10_000;

/** Streams of one peer whose target is still being dialled. */
export const MAX_UNANSWERED_PER_PEER = 1_024;

/** Bytes published to one relay and not yet confirmed by OK, where it says that soon. */
export const MAX_UNCONFIRMED_BYTES = 4 * 1024 * 1024;

/** Event ids that are remembered, to drop what arrives twice. */
export const MAX_SEEN_EVENTS = 65_536;

/** How long a target may take to accept a connection. */
export const DIAL_TIMEOUT_MS = 10_000;

/**
 * How long one of several addresses of an upstream proxy may take, before the next is tried instead: Node's 250 ms end
 * attempts on slow paths.
 */
export const ADDRESS_ATTEMPT_MS = 2_500;

/** How long shutting down waits for streams to end by themselves. */
export const SHUTDOWN_GRACE_MS = 5_000;

/** Largest head that the proxy and the exit read, of requests and of answers: cookies and policies grow to that. */
export const MAX_HEADER_BYTES = 128 * 1024;

/** How long a client may take to send a request head, or the rest of a ClientHello. */
export const CLIENT_HEAD_TIMEOUT_MS = 15_000;
