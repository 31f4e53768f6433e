// What an HTTP/2 peer may do: windows, streams, heads. Floods of small frames are node:http2's and nghttp2's to end.

import type { SecureServerOptions, SessionOptions, Settings } from 'node:http2';
import { MAX_HEADER_BYTES } from '../../limits.js';

/** Streams that a client may have open in one connection. */
export const MAX_CONCURRENT_STREAMS = 128;
/**
 * What an upload may have on its way toward us, where it is one of two at the most: more room opens when half of it was read, so
 * that this carries 30 MB/s at a round trip of 200 ms. It is held in memory where the origin doesn't read: uploads.ts
 * bounds the sum.
 */
export const UPLOAD_WINDOW_BYTES = 12 * 1024 * 1024;
/** What more of them share in one connection. */
export const UPLOAD_WINDOWS_BYTES = 24 * 1024 * 1024;
/** Toward us for all streams of a connection: node:http2 counts bytes here as they arrive, read or not. */
export const SESSION_WINDOW_BYTES = 12 * 1024 * 1024;
/** What an answer of the operator's own target may have on its way. */
const ANSWER_WINDOW_BYTES = 2 * 1024 * 1024;
/** Fields of a head; `MAX_HEADER_BYTES` bounds their sum. */
const MAX_FIELDS = 2_000;

const SETTINGS: Settings = { maxHeaderListSize: MAX_HEADER_BYTES };

/** Toward clients, who are strangers. */
export const SERVER_OPTIONS: SecureServerOptions = {
  maxHeaderListPairs: MAX_FIELDS,
  maxSendHeaderBlockLength: 2 * MAX_HEADER_BYTES,
  maxSessionMemory: 16,
  settings: {
    ...SETTINGS,
    initialWindowSize: UPLOAD_WINDOW_BYTES,
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    enableConnectProtocol: true,
  },
};

/** Toward the operator's own target. */
export const CLIENT_OPTIONS: SessionOptions = {
  maxHeaderListPairs: MAX_FIELDS,
  maxSendHeaderBlockLength: 2 * MAX_HEADER_BYTES,
  maxSessionMemory: 64,
  settings: { ...SETTINGS, initialWindowSize: ANSWER_WINDOW_BYTES, enablePush: false },
};
