// What an HTTP/2 peer may do: windows, streams, heads. Floods of small frames are node:http2's and nghttp2's to end.

import type { SecureServerOptions, SessionOptions, Settings } from 'node:http2';
import { MAX_HEADER_BYTES } from '../../limits.js';

/** Streams that a client may have open in one connection. */
export const MAX_CONCURRENT_STREAMS = 128;
/**
 * What a stream may have on its way toward us: HTTP/2's own 64 KiB would slow an upload over relays down to that much a
 * round trip. It is held in memory where the origin doesn't read: unread.ts bounds the sum.
 */
export const STREAM_WINDOW_BYTES = 2 * 1024 * 1024;
/** For all streams of a connection: node:http2 counts bytes here as they arrive, read or not. */
export const SESSION_WINDOW_BYTES = 4 * 1024 * 1024;
/** Fields of a head; `MAX_HEADER_BYTES` bounds their sum. */
const MAX_FIELDS = 2_000;

const SETTINGS: Settings = {
  initialWindowSize: STREAM_WINDOW_BYTES,
  maxHeaderListSize: MAX_HEADER_BYTES,
};

/** Toward clients, who are strangers. */
export const SERVER_OPTIONS: SecureServerOptions = {
  maxHeaderListPairs: MAX_FIELDS,
  maxSendHeaderBlockLength: 2 * MAX_HEADER_BYTES,
  maxSessionMemory: 16,
  settings: {
    ...SETTINGS,
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    enableConnectProtocol: true,
  },
};

/** Toward the operator's own target. */
export const CLIENT_OPTIONS: SessionOptions = {
  maxHeaderListPairs: MAX_FIELDS,
  maxSendHeaderBlockLength: 2 * MAX_HEADER_BYTES,
  maxSessionMemory: 64,
  settings: { ...SETTINGS, enablePush: false },
};
