// Opens streams whose bytes take a TCP connection that the exit makes back to us (CONNECTR), and says where that
// isn't to be had.
//
//   entry ─ CONNECTR ═ relay ═ exit          then:  entry's listener ══ TLS with a pre-shared key ══ exit

import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { BoundedMap } from '../../common/bounded.js';
import { NwsError, toNwsError } from '../../errors.js';
import { ask } from '../opening/opening.js';
import type { Peer } from '../peer.js';
import { SecuredStream } from '../secured/stream.js';
import type { ReverseListener } from './listener.js';

/** How long an exit may take to say that it can't reach us, or to be here. */
const CONNECTED_MS = 5_000;
/** One that is there has answered something by then; one that isn't may have been replaced by another kind. */
const HEARD_MS = 2_500;
/** An exit that couldn't reach us isn't asked to for so long. */
const REST_MS = 300_000;
/** Exits that are remembered for that. */
const MAX_RESTING = 1_024;
const SECRET_BYTES = 32;

/** What says that this way doesn't work, as opposed to the destination. */
const FALLS_BACK: ReadonlySet<string> = new Set(['reverse_unreachable', 'exit_unreachable']);

export interface ReverseOptions {
  readonly listener: Pick<ReverseListener, 'expect'>;
  /** `host:port` as an exit dials it. */
  readonly publicAddress: string;
  /** `optional`: toward NIP-443 peers, which know no TLS here, plain TCP is used. */
  readonly tls: 'required' | 'optional';
}

export class ReverseOpener {
  readonly #options: ReverseOptions;
  readonly #log: Logger;
  /** Exits that couldn't reach us, and until when that is believed. */
  readonly #resting = new BoundedMap<string, number>(MAX_RESTING);
  readonly #open = new Set<Duplex>();

  constructor(options: ReverseOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#open.size;
  }

  /**
   * Asks the exit to connect to us. Resolves with undefined where that is no way to it.
   * @throws NwsError why the exit refuses the destination, or the signal's reason.
   */
  async open(
    peer: Peer,
    destination: string,
    signal?: AbortSignal,
  ): Promise<{ stream: Duplex; key: string } | undefined> {
    const { kind } = peer.state;
    const isFit = kind === 'reliable' || (kind === 'plain' && this.#options.tls === 'optional');
    if (!isFit || (this.#resting.get(peer.pubkey) ?? 0) > performance.now()) return undefined;
    try {
      const { connection, key } = await this.#connect(peer, destination, signal);
      const stream = new SecuredStream(connection);
      this.#open.add(stream);
      stream.once('close', () => this.#open.delete(stream));
      if (stream.closed) this.#open.delete(stream);
      return { stream, key };
    } catch (error) {
      signal?.throwIfAborted();
      if (!FALLS_BACK.has(toNwsError(error).code)) throw error;
      // One that said nothing at all may be starting, or be of another kind by now.
      const { code } = toNwsError(error);
      if (code === 'reverse_unreachable') this.#rest(peer.pubkey, toNwsError(error));
      return undefined;
    }
  }

  async #connect(
    peer: Peer,
    destination: string,
    signal?: AbortSignal,
  ): Promise<{ connection: Duplex; key: string }> {
    const { listener, publicAddress: entryPublicAddress } = this.#options;
    const secret = peer.state.kind === 'reliable' ? randomBytes(SECRET_BYTES) : undefined;
    const over = new AbortController();
    const leave = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    const reverse = { entryPublicAddress, ...(secret && { secret }) };
    const asked = ask(peer, destination, () => undefined, { signal: over.signal, reverse });
    const limits = { secret, timeoutMs: CONNECTED_MS, signal: over.signal };
    const askedAt = performance.now();
    const timer = setTimeout(() => {
      const isSilent = secret !== undefined && peer.state.heardAt < askedAt;
      if (isSilent) over.abort(new NwsError('exit_unreachable', 'the exit does not answer'));
    }, HEARD_MS);
    try {
      const { key } = asked.state;
      const connection = await both(listener.expect(key, limits), asked.answer, over);
      return { connection, key };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
      // An exit of NIP-443 doesn't answer: its connection is the answer, and all that is left of the stream.
      if (!over.signal.aborted) asked.state.abandon();
      peer.update();
    }
  }

  #rest(exit: string, reason: NwsError): void {
    const now = performance.now();
    // Streams that were opened at once fail at once, which is one piece of news.
    if ((this.#resting.get(exit) ?? 0) <= now) {
      this.#log.info({ exit, reason: reason.message }, 'the exit can not connect back to us');
    }
    this.#resting.set(exit, now + REST_MS);
  }

  close(): void {
    for (const stream of this.#open) stream.destroy();
  }
}

/** The connection, once the exit has also said that its target is there; the first failure ends the other wait. */
async function both(
  connection: Promise<Duplex>,
  answer: Promise<undefined>,
  over: AbortController,
): Promise<Duplex> {
  let reason: unknown;
  const orAbort = (error: unknown): undefined => {
    if (!over.signal.aborted) reason = error;
    over.abort(error);
    return undefined;
  };
  const [stream] = await Promise.all([connection.catch(orAbort), answer.catch(orAbort)]);
  if (stream !== undefined && !over.signal.aborted) return stream;
  stream?.destroy();
  throw reason ?? over.signal.reason;
}
