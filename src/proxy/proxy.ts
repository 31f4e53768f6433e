// Composes the entry: one port for CONNECT and absolute-form HTTP, and the tunnel behind it.
// How each way in is served is in the files next to this one.

import type { Logger } from 'pino';
import { toNwsError } from '../errors.js';
import { Authenticator, type Credentials } from '../http/auth/auth.js';
import { formatHostPort, type HostPort } from '../http/host-port.js';
import { SHUTDOWN_GRACE_MS } from '../limits.js';
import { type Address, normalizeRelayUrl } from '../protocol/names/address.js';
import type { ProxyFor } from '../relay/connection/proxy-env.js';
import type { RelayPool } from '../relay/pool.js';
import { obstacleOf } from '../status/state/obstacle.js';
import { pinRow } from '../status/state/pin-rows.js';
import type { Subject } from '../status/state/watch.js';
import { type LocalAuthority, openAuthority } from '../tls/authority/authority.js';
import type { Sums } from '../tunnel/accounts/accounts.js';
import type { Events } from '../tunnel/events.js';
import { warnOfFewFiles } from '../tunnel/open-files.js';
import { type OpenSpare, Spares } from './advance/spares.js';
import { discoverExits } from './clearnet/discovery.js';
import { ExitChooser } from './clearnet/exits.js';
import type { WebExit } from './clearnet/known-exits.js';
import type { Entry } from './entry.js';
import { Listener } from './listener.js';
import { AliasBook } from './names/alias-book.js';
import { HostResolver } from './resolve.js';
import { routes } from './routes.js';
import { localPages } from './status/local-pages.js';
import { PinnedDialer } from './tls/pinned.js';
import { ShownPins } from './tls/shown-pins.js';
import { Tunnel, type TunnelOptions } from './tunnel.js';
import { Forwarder } from './ways/absolute-form.js';

/** How long starting waits for a first relay. Without one the proxy starts as well, and says so in every answer. */
const READY_TIMEOUT_MS = 3_000;

/** What an entry is started with. */
export interface ProxyOptions extends TunnelOptions {
  /** Port 0 picks a free one. */
  readonly listen: HostPort;
  /** For names that carry no relay. */
  readonly relays: readonly string[];
  /** Whether TLS of `.nostr` hosts ends at the entry, which checks the exit, or runs through to the exit. */
  readonly tls: 'terminate' | 'passthrough';
  /** Refuse exits without a certificate event. */
  readonly requirePin: boolean;
  /** Keep a connection to each exit that was used lately open in advance, for a minute; default: no. */
  readonly preconnect?: boolean | undefined;
  /** What to do with hosts that aren't `.nostr`. */
  readonly clearnet: 'direct' | 'exit' | 'deny';
  /** Exits that the clear web may use, best first; none: those that announce themselves. */
  readonly exits?: readonly Address[] | undefined;
  /** For `clearnet: 'direct'`: the proxy that a host is reached through; none: all are dialled. */
  readonly upstreamFor?: ProxyFor | undefined;
  /** What clients have to give; absent: whoever reaches the port may use it. */
  readonly auth?: Credentials | undefined;
  /** Name → `.nostr` name, npub or nprofile; the alias book of the home folder has more. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** An entry that runs. */
export interface RunningProxy {
  /** `http://host:port`. */
  readonly url: string;
  /** File of the local CA's certificate. */
  readonly caPath: string;
  /** Streams through the tunnel. */
  readonly streams: number;
  /** Clients connected. */
  readonly connections: number;
  /** Where exits connect back to (CONNECTR), if they may. */
  readonly reverseAddress: HostPort | undefined;
  /** What became of all streams so far. */
  readonly sums: Sums;
  /** `stream`, `relay` and `pin`, as they come and go. */
  readonly events: Events;
  /** Takes other ones for the aliases that it was started with; those of the alias book stay. */
  update(settings: Pick<ProxyOptions, 'aliases'>): void;
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
  const tunnel = await Tunnel.open(options);
  const { pool, session } = tunnel;
  const exits = chooserFor({ ...options, relays }, tunnel);
  const entry: Entry = { ...entryOf({ ...options, relays }, tunnel, authority), exits };
  const connections = (): number => listener.connections;
  const subject = subjectOf(relays, tunnel, connections);
  const pages = localPages({ caPem: authority.pem, subject });
  const forwarder = new Forwarder(entry);
  const authenticator = options.auth && new Authenticator(options.auth, options.log);
  const listener = new Listener(routes(entry, forwarder, pages, authenticator));
  const close = async (graceMs = SHUTDOWN_GRACE_MS): Promise<void> => {
    pages.close();
    await listener.close(graceMs);
    await forwarder.close();
    entry.spares?.close();
    exits.close();
    await tunnel.close();
  };
  try {
    const bound = await listener.listen(options.listen);
    for (const relay of relays) pool.acquire(relay);
    await firstRelay(pool, relays, options.log);
    warnOfFewFiles(options.log);
    return {
      url: `http://${formatHostPort(bound)}`,
      caPath: authority.path,
      get streams() {
        return session.streams;
      },
      get connections() {
        return listener.connections;
      },
      reverseAddress: tunnel.reverseAddress,
      get sums() {
        return tunnel.accounts.sums;
      },
      events: tunnel.events,
      update: ({ aliases }) => entry.resolver.aliases.replace(aliases),
      close,
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

function chooserFor({ exits = [], relays, log }: ProxyOptions, tunnel: Tunnel): ExitChooser {
  const { pool: source, openVia } = tunnel;
  const discover = (signal: AbortSignal): Promise<readonly WebExit[]> =>
    discoverExits({ source, relays, signal });
  return new ExitChooser({ exits, relays, log, discover, openVia });
}

function entryOf(options: ProxyOptions, tunnel: Tunnel, authority: LocalAuthority): Entry {
  const { relays, aliases, home, log, tls, clearnet, requirePin, upstreamFor } = options;
  const { open, pins, pool } = tunnel;
  const pinned = new PinnedDialer({ open, pins, requirePin });
  const advance: OpenSpare = (route, signal) =>
    pinned.connect({ ...route, port: route.at.port, signal });
  return {
    resolver: new HostResolver({ relays, aliases, book: new AliasBook(home), events: pool, log }),
    open,
    pinned,
    spares: options.preconnect ? new Spares(advance) : undefined,
    authority,
    shown: new ShownPins(),
    failures: tunnel.accounts.failures,
    tls,
    clearnet,
    upstreamFor,
    log,
  };
}

function subjectOf(relays: readonly string[], tunnel: Tunnel, connections: () => number): Subject {
  const { pool, session, accounts } = tunnel;
  return {
    role: 'proxy',
    pool,
    session,
    accounts,
    obstacle: () => (relays.length === 0 ? undefined : obstacleOf(pool, relays)),
    pins: (limit) => tunnel.latestPins(limit).map(pinRow),
    pinsKnown: () => tunnel.pinsKnown,
    direct: (peer) => tunnel.directTo(peer),
    connections,
  };
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
