// Composes the entry: one port for CONNECT and absolute-form HTTP, and the tunnel behind it.
// How each way in is served is in the files next to this one.

import type { Agent } from 'node:http';
import type { Logger } from 'pino';
import type { Signer } from '../crypto/signer.js';
import { toNwsError } from '../errors.js';
import { SHUTDOWN_GRACE_MS } from '../limits.js';
import { normalizeRelayUrl } from '../protocol/address.js';
import { RelayPool } from '../relay/pool.js';
import { type LocalAuthority, openAuthority } from '../tls/authority.js';
import { type Pin, PinResolver, PinStore } from '../tls/pins.js';
import { Session } from '../tunnel/session.js';
import type { Entry, OpenStream } from './entry.js';
import { Forwarder } from './forward.js';
import { formatHostPort, type HostPort } from './host-port.js';
import { Listener } from './listener.js';
import { LocalPages } from './local.js';
import { ShownPins } from './passthrough.js';
import { PinnedDialer } from './pinned.js';
import { HostResolver } from './resolve.js';
import { routes } from './routes.js';

/** How long starting waits for a first relay. Without one the proxy starts as well, and says so in every answer. */
const READY_TIMEOUT_MS = 3_000;

export interface ProxyOptions {
  /** Port 0 picks a free one. */
  readonly listen: HostPort;
  /** For names that carry no relay. */
  readonly relays: readonly string[];
  /** Folder of the local CA and the pins. */
  readonly home: string;
  readonly log: Logger;
  readonly tls: 'terminate' | 'passthrough';
  /** Refuse exits without a certificate event. */
  readonly requirePin: boolean;
  /** What to do with hosts that aren't `.nostr`. */
  readonly clearnet: 'direct' | 'deny';
  /** Name → `.nostr` name, npub or nprofile. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Default: a fresh key for each exit. */
  readonly signer?: Signer | undefined;
  /** Bytes of JSON; default: what relays say. */
  readonly maxEventBytes?: number | undefined;
  /** An upstream proxy for reaching relays. */
  readonly agentFor?: ((url: string) => Agent | undefined) | undefined;
}

export interface RunningProxy {
  /** `http://host:port`. */
  readonly url: string;
  /** File of the local CA's certificate. */
  readonly caPath: string;
  /** Streams through the tunnel. */
  readonly streams: number;
  /** Clients connected. */
  readonly connections: number;
  /** Takes nothing new, gives what runs `graceMs` to end, then ends it. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts an entry. Resolves when it listens and a relay is up, or none was within some seconds.
 * @throws NwsError `address_in_use`, `bad_config` (address, CA or pins can't be used), `bad_name` (relay URL).
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const relays = options.relays.map(normalizeRelayUrl);
  const authority = await openAuthority(options.home);
  const tunnel = openTunnel(options, await PinStore.open(options.home));
  const entry = entryOf({ ...options, relays }, tunnel, authority);
  const pages = new LocalPages({
    caPem: authority.pem,
    isReady: () => relays.length === 0 || isAnyUp(tunnel.pool, relays),
  });
  const forwarder = new Forwarder(entry);
  const listener = new Listener(routes(entry, forwarder, pages));
  const close = async (graceMs = SHUTDOWN_GRACE_MS): Promise<void> => {
    await listener.close(graceMs);
    await forwarder.close();
    await tunnel.session.close(0);
    await tunnel.pool.close();
  };
  try {
    const bound = await listener.listen(options.listen);
    for (const relay of relays) tunnel.pool.acquire(relay);
    await firstRelay(tunnel.pool, relays, options.log);
    return {
      url: `http://${formatHostPort(bound)}`,
      caPath: authority.path,
      get streams() {
        return tunnel.session.streams;
      },
      get connections() {
        return listener.connections;
      },
      close,
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

interface Tunnel {
  readonly pool: RelayPool;
  readonly session: Session;
  readonly pins: PinResolver;
  readonly open: OpenStream;
}

function openTunnel(options: ProxyOptions, store: PinStore): Tunnel {
  const { log, signer, agentFor, maxEventBytes } = options;
  const authSigner = (): Signer => session.relaySigner;
  const pool = new RelayPool({ log, agentFor, eventLimitBytes: maxEventBytes, authSigner });
  const session = new Session({ pool, log, signer });
  const open: OpenStream = (to, port, signal, early) =>
    session.open({
      peer: to.pubkey,
      relays: to.relays,
      destination: `${to.destination}:${port}`,
      reliable: store.get(to.pubkey)?.reliable,
      early,
      signal,
    });
  const onPin = ({ pubkey, reliable }: Pin): void => session.learn(pubkey, reliable);
  return { pool, session, open, pins: new PinResolver({ store, source: pool, log, onPin }) };
}

function entryOf(options: ProxyOptions, tunnel: Tunnel, authority: LocalAuthority): Entry {
  const { relays, aliases, log, tls, clearnet, requirePin } = options;
  const { open, pins, pool } = tunnel;
  return {
    resolver: new HostResolver({ relays, aliases, events: pool, log }),
    open,
    pinned: new PinnedDialer({ open, pins, requirePin }),
    authority,
    shown: new ShownPins(),
    tls,
    clearnet,
    log,
  };
}

function isAnyUp(pool: RelayPool, relays: readonly string[]): boolean {
  return pool.links().some((link) => link.isUp && relays.includes(link.url));
}

/** A proxy without a relay is no reason to fail: relays come back, and names bring their own. */
async function firstRelay(pool: RelayPool, relays: string[], log: Logger): Promise<void> {
  if (relays.length === 0) return;
  try {
    await pool.whenUp(relays, READY_TIMEOUT_MS);
  } catch (error) {
    log.warn(toNwsError(error).line);
  }
}
