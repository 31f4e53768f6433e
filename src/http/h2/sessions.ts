// HTTP/2 sessions with one origin: requests share them, a further one is opened when all are full, and one that says
// GOAWAY takes no more. What a request is and when it is repeated is the caller's matter.

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  constants,
  type OutgoingHttpHeaders,
  type Settings,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { NwsError, toNwsError } from '../../errors.js';
import { DIAL_TIMEOUT_MS } from '../../limits.js';
import { CLIENT_OPTIONS, SESSION_WINDOW_BYTES } from './bounds.js';
import { cutSession } from './cut.js';

/** Sessions with one origin at once. */
const MAX_SESSIONS = 64;
/** Streams of a session, whatever more the origin allows. */
const MAX_STREAMS = 1_000;
/** A session that is silent for so long is closed where it is idle, else asked whether it is still there. */
const SILENCE_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;

interface Shared {
  readonly session: ClientHttp2Session;
  /** Those that have been promised, too. */
  streams: number;
  /** The last stream that the origin takes, once it has said GOAWAY. */
  lastStreamId: number;
}

export class Http2Sessions {
  readonly #connect: () => Promise<Duplex>;
  readonly #sessions = new Set<Shared>();
  readonly #streams = new WeakMap<ClientHttp2Stream, Shared>();
  #opening: Promise<void> | undefined;

  /** @param connect opens a connection on which HTTP/2 has been agreed. */
  constructor(connect: () => Promise<Duplex>) {
    this.#connect = connect;
  }

  /**
   * Sends a request's head on a session that has room.
   * @throws NwsError why there is no session: what `connect` throws, `http_protocol_error`, `connection_limit_reached`.
   */
  async request(
    head: OutgoingHttpHeaders,
    options: ClientSessionRequestOptions,
  ): Promise<ClientHttp2Stream> {
    const shared = await this.#take();
    try {
      const stream = shared.session.request(head, options);
      this.#streams.set(stream, shared);
      stream.on('error', () => undefined); // shows as 'close'
      stream.once('close', () => this.#free(shared));
      return stream;
    } catch (error) {
      this.#free(shared);
      throw toNwsError(error, 'http_protocol_error');
    }
  }

  /** Whether the origin has said that it did nothing about this request (RFC 9113, 6.8 and 8.7). */
  wasRefused(stream: ClientHttp2Stream): boolean {
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return true;
    const lastStreamId = this.#streams.get(stream)?.lastStreamId ?? Number.POSITIVE_INFINITY;
    return (stream.id ?? Number.POSITIVE_INFINITY) > lastStreamId;
  }

  /** What the origin allows, on a session that has room. @throws NwsError as `request`. */
  async settings(): Promise<Settings> {
    const shared = await this.#take();
    this.#free(shared);
    return shared.session.remoteSettings;
  }

  /** Cuts everything. */
  close(): void {
    for (const { session } of this.#sessions) cutSession(session, constants.NGHTTP2_CANCEL);
  }

  async #take(): Promise<Shared> {
    for (;;) {
      for (const shared of this.#sessions) {
        if (!hasRoom(shared)) continue;
        shared.streams += 1;
        return shared;
      }
      if (this.#sessions.size >= MAX_SESSIONS) throw full();
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined;
      });
      await this.#opening;
    }
  }

  #free(shared: Shared): void {
    shared.streams -= 1;
  }

  async #open(): Promise<void> {
    const socket = await this.#connect();
    const session = connect('http://origin', {
      ...CLIENT_OPTIONS,
      createConnection: () => socket,
    });
    // On a connection that may be half open it would wait for more.
    socket.once('end', () => cutSession(session, constants.NGHTTP2_CANCEL));
    const shared: Shared = { session, streams: 0, lastStreamId: Number.POSITIVE_INFINITY };
    session.on('goaway', (_code, lastStreamId) => {
      shared.lastStreamId = lastStreamId;
    });
    session.on('stream', (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)); // nothing may be pushed
    await settled(session);
    if (session.closed || session.destroyed) {
      throw new NwsError('connection_terminated', 'the target closed the connection at once');
    }
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.setTimeout(SILENCE_MS, () => onSilence(shared));
    this.#sessions.add(shared);
    session.once('close', () => this.#sessions.delete(shared));
  }
}

function hasRoom({ session, streams }: Shared): boolean {
  if (session.closed || session.destroyed) return false;
  return (
    streams < Math.min(session.remoteSettings.maxConcurrentStreams ?? MAX_STREAMS, MAX_STREAMS)
  );
}

/** Waits for the origin's SETTINGS: they say how much it takes, and that it speaks HTTP/2 at all. */
function settled(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    const timer = setTimeout(() => session.destroy(), DIAL_TIMEOUT_MS);
    session.on('error', (error) => {
      cause = error;
    });
    session.once('close', () => {
      clearTimeout(timer);
      reject(noHttp2(cause));
    });
    session.once('remoteSettings', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function onSilence({ session, streams }: Shared): void {
  if (session.destroyed) return;
  if (streams === 0) {
    session.close();
    return;
  }
  const timer = setTimeout(() => cutSession(session, constants.NGHTTP2_CANCEL), PING_TIMEOUT_MS);
  session.ping(() => clearTimeout(timer));
}

function noHttp2(cause: unknown): NwsError {
  return new NwsError('http_protocol_error', 'the target does not speak HTTP/2', {
    hint: 'if it speaks HTTP/1.1, use http:// in --target',
    cause,
  });
}

function full(): NwsError {
  return new NwsError('connection_limit_reached', 'the target takes no more requests at once');
}
