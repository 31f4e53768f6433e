// TLS toward an exit, believed only with the certificate that the exit's own key signed.
// Fetching and keeping pins is tls/pins, the handshake itself tls/handshake.

import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { BoundedMap } from '../../common/bounded.js';
import { NwsError, toNwsError } from '../../errors.js';
import { connectPinned, type PinnedSession } from '../../tls/handshake.js';
import type { Pin, PinResolver } from '../../tls/pins/pins.js';
import type { ResolvedHost } from '../resolve.js';
import { endWith, type OpenStream } from '../streams.js';

/** TLS sessions that are kept to be resumed, one an exit. */
const MAX_SESSIONS = 256;

export interface PinnedRoute {
  readonly to: ResolvedHost;
  readonly port: number;
  readonly pin: Pin;
  /** What to offer, best first: the client's own list. */
  readonly alpn: readonly string[];
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  /** Whether the certificate is to be shown again, though an earlier TLS session could be resumed. */
  readonly inFull?: boolean;
}

export interface PinnedDialerOptions {
  readonly open: OpenStream;
  readonly pins: Pick<PinResolver, 'pinFor'>;
  /** Refuse exits that publish no certificate. */
  readonly requirePin: boolean;
}

export class PinnedDialer {
  readonly #open: OpenStream;
  readonly #pins: Pick<PinResolver, 'pinFor'>;
  readonly #mustPin: boolean;
  /** By key and certificates: another pin starts anew. */
  readonly #sessions = new BoundedMap<string, PinnedSession>(MAX_SESSIONS);

  constructor(options: PinnedDialerOptions) {
    this.#open = options.open;
    this.#pins = options.pins;
    this.#mustPin = options.requirePin;
  }

  /**
   * The pin of an exit; undefined where the exit publishes none and none is on record.
   * @throws NwsError `pin_mismatch` where there is none and settings require one.
   */
  async pinFor(to: ResolvedHost): Promise<Pin | undefined> {
    if (this.#mustPin) return this.requirePin(to);
    return this.#pins.pinFor(to.pubkey, to.relays);
  }

  /**
   * The pin of an exit.
   * @throws NwsError `pin_mismatch` where there is none.
   */
  async requirePin(to: ResolvedHost): Promise<Pin> {
    const pin = await this.#pins.pinFor(to.pubkey, to.relays);
    if (pin !== undefined) return pin;
    throw new NwsError('pin_mismatch', `${to.host} publishes no certificate to check it by`, {
      hint: 'its exit has to publish a kind 38334 event on these relays',
    });
  }

  /**
   * TLS over a stream that is open already, or over one of its own. Where the pin doesn't match, the exit may
   * just have changed its certificate: the pin is fetched anew, and where it changed, tried once more.
   * @throws NwsError `pin_mismatch`, `tls_protocol_error`, or why no stream could be opened.
   */
  async connect(route: PinnedRoute, opened?: Duplex): Promise<TLSSocket> {
    try {
      return await this.#handshake(route, opened);
    } catch (error) {
      const newer = await this.#changedPin(route, toNwsError(error));
      if (newer === undefined) throw error;
      return await this.#handshake({ ...route, pin: newer });
    }
  }

  async #handshake(route: PinnedRoute, opened?: Duplex): Promise<TLSSocket> {
    const { to, port, pin, alpn, signal, inFull } = route;
    const stream = opened ?? endWith(await this.#open(to, port, signal, true), signal);
    // The exit may have refused while the client was still thinking: its reason says more than a failed handshake.
    if (stream.destroyed) throw toNwsError(stream.errored ?? ended(), 'connection_terminated');
    const key = [pin.pubkey, to.host, ...pin.fingerprints].join();
    const options = {
      pin,
      servername: to.host,
      alpn,
      session: inFull ? undefined : this.#sessions.get(key),
      onSession: (session: PinnedSession): void => void this.#sessions.set(key, session),
    };
    return endWith(await connectPinned(stream, options), signal);
  }

  async #changedPin(route: PinnedRoute, error: NwsError): Promise<Pin | undefined> {
    const { to, pin, signal } = route;
    if (error.code !== 'pin_mismatch' || signal.aborted) return undefined;
    const newer = await this.#pins.pinFor(to.pubkey, to.relays, { fresh: true });
    return newer?.fingerprints.join() === pin.fingerprints.join() ? undefined : newer;
  }
}

function ended(): NwsError {
  return new NwsError('connection_terminated', 'the exit closed the connection');
}
