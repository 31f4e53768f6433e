// The tunnel behind the entry: relays, session, pins, the listener for exits that connect back, and the account of
// every stream that is opened.

import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { inTime } from '../common/waiting.js';
import type { Signer } from '../crypto/signer.js';
import { toNwsError } from '../errors.js';
import { formatHostPort, type HostPort } from '../http/host-port.js';
import { RelayPool } from '../relay/pool.js';
import { type Pin, PinResolver, PinStore } from '../tls/pins/pins.js';
import { Accounts } from '../tunnel/accounts/accounts.js';
import type { DirectEntry } from '../tunnel/direct/direct-entry.js';
import type { DirectReport, DirectSettings } from '../tunnel/direct/options.js';
import { Events } from '../tunnel/events.js';
import { ReverseListener } from '../tunnel/reverse/listener.js';
import { type OpenOptions, Session } from '../tunnel/session.js';
import { startDirect } from './direct.js';
import { type PeerKind, PeerKinds } from './peer-kinds.js';
import type { ResolvedHost } from './resolve.js';
import type { OpenStream, OpenVia } from './streams.js';

export interface TunnelOptions {
  /** Folder of the pins. */
  readonly home: string;
  /** Where it tells what it does. */
  readonly log: Logger;
  /** Who it is to exits; absent: a fresh key an exit. */
  readonly signer?: Signer | undefined;
  /** Largest event in bytes of JSON; default 65,536, or less where a relay says so. */
  readonly maxEventBytes?: number | undefined;
  /** Upstream proxy for a relay. */
  readonly agentFor?: ((url: string) => Agent | undefined) | undefined;
  /** Where exits reach us; absent: nowhere. */
  readonly publicAddress?: HostPort | undefined;
  /** Where it listens for them; default: the port of the public address, on every interface. */
  readonly reverseListen?: HostPort | undefined;
  /** Whether they have to speak TLS; default `required`. */
  readonly reverseTls?: 'required' | 'optional' | undefined;
  /** Looks for direct paths to exits that take part; absent: nobody learns this side's address. */
  readonly direct?: DirectSettings | undefined;
}

/** How long relays may take to say of which kind an exit is, where a stream waits for that. */
const KIND_WAIT_MS = 1_000;

export class Tunnel {
  readonly pool: RelayPool;
  readonly session: Session;
  readonly pins: PinResolver;
  readonly accounts: Accounts;
  readonly events = new Events();
  readonly #store: PinStore;
  readonly #kinds: PeerKinds;
  readonly #listener: ReverseListener | undefined;
  readonly #direct: DirectEntry | undefined;

  private constructor(
    options: TunnelOptions,
    store: PinStore,
    listener: ReverseListener | undefined,
    directEntry: DirectEntry | undefined,
  ) {
    const { log, signer, agentFor, maxEventBytes, reverseTls = 'required' } = options;
    const authSigners = (url: string): Signer[] => this.session.relaySigners(url);
    const { onStream, onRelay, onPin } = this.events;
    const limits = { eventLimitBytes: maxEventBytes };
    this.pool = new RelayPool({ log, agentFor, ...limits, authSigners, onRelay });
    const publicAddress = options.publicAddress && formatHostPort(options.publicAddress);
    const reverse =
      listener && publicAddress ? { listener, publicAddress, tls: reverseTls } : undefined;
    this.session = new Session({ pool: this.pool, log, signer, reverse, directEntry });
    this.accounts = new Accounts('entry', log, onStream);
    this.#store = store;
    this.#listener = listener;
    this.#direct = directEntry;
    const learn = ({
      pubkey,
      reliable,
      version,
    }: Pick<Pin, 'pubkey' | 'reliable' | 'version'>): void =>
      this.session.learn(pubkey, reliable, version);
    this.#kinds = new PeerKinds(this.pool, learn);
    const onChange = ({ pubkey, fingerprints, createdAt }: Pin, former: Pin | undefined): void =>
      onPin({ pubkey, fingerprints, createdAt, formerly: former?.fingerprints });
    this.pins = new PinResolver({ store, source: this.pool, log, onPin: learn, onChange });
  }

  /** @throws NwsError `bad_config` where the pins can't be used; `address_in_use` for the reverse listener. */
  static async open(options: TunnelOptions): Promise<Tunnel> {
    const { publicAddress, log, direct } = options;
    const store = await PinStore.open(options.home);
    const listen = options.reverseListen ?? (publicAddress && { ...publicAddress, host: '::' });
    const listener =
      publicAddress && listen ? await ReverseListener.start({ listen, log }) : undefined;
    try {
      return new Tunnel(options, store, listener, direct && (await startDirect(direct, log)));
    } catch (error) {
      await listener?.close();
      throw error;
    }
  }

  /** Pins on record. */
  get pinsKnown(): number {
    return this.#store.size;
  }

  /** The pins that were recorded last, the newest first. @throws NwsError `bad_config` where the record is broken. */
  latestPins(limit: number): ReturnType<PinStore['latest']> {
    return this.#store.latest(limit);
  }

  /** Where exits connect back to, if they may. */
  get reverseAddress(): HostPort | undefined {
    return this.#listener?.address;
  }

  readonly open: OpenStream = async (to, port, signal, early) => {
    const { pubkey, relays } = to;
    const { reliable, version } = this.#store.get(pubkey) ?? (await this.#kindOf(to)) ?? {};
    const destination = `${to.destination}:${port}`;
    return this.#open({ peer: pubkey, relays, destination, reliable, version, early, signal });
  };

  /**
   * What an exit of which nothing is on record says of itself. Where exits may connect to us, that decides how the stream is
   * asked for, and is worth a round trip; elsewhere nobody waits.
   */
  async #kindOf({ pubkey, relays }: ResolvedHost): Promise<Partial<PeerKind> | undefined> {
    const kind = this.#kinds.look(pubkey, relays);
    return this.#listener && inTime(kind, KIND_WAIT_MS);
  }

  /** The announcement's sign is enough to send names; where there is none, the exit's answer decides. */
  readonly openVia: OpenVia = async (exit, destination, signal) => {
    const { pubkey: peer, relays, version, reliable = false } = exit;
    const said = reliable ? { reliable, version } : {};
    return this.#open({ peer, relays, destination, ...said, signal });
  };

  async #open(options: OpenOptions): Promise<Duplex> {
    const { peer, destination } = options;
    try {
      const { stream, key, way } = await this.session.open(options);
      this.accounts.opened({ stream: key, peer, destination, way }, stream);
      return stream;
    } catch (error) {
      if (!options.signal?.aborted) this.accounts.refused({ peer, destination }, toNwsError(error));
      throw error;
    }
  }

  /** How it is with a direct path to an exit; undefined where none is looked for at all. */
  directTo(peer: string): DirectReport | undefined {
    return this.#direct?.reportOf(peer);
  }

  async close(): Promise<void> {
    await this.session.close(0);
    await this.#listener?.close();
    await this.pool.close();
  }
}
