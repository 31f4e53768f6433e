// Which exit a host of the clear web goes through: one host keeps its exit, so that logins hold; an exit that
// fails rests, and another one is tried. Names go to the exit as the client typed them, never to a resolver here.

import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { BoundedMap } from '../../common/bounded.js';
import { unlessAborted, within } from '../../common/waiting.js';
import { type ErrorCode, NwsError, toNwsError } from '../../errors.js';
import { formatHostPort, type HostPort } from '../../http/host-port.js';
import type { OpenVia } from '../streams.js';
import { ExitRests } from './exit-rests.js';
import { KnownExits, type WebExit } from './known-exits.js';

/** How long a host keeps its exit after it was last used. */
const KEEP_MS = 30 * 60_000;
/** Hosts whose exit is remembered; the one unused for longest makes room. */
const MAX_KEPT_HOSTS = 4_096;
/** Exits that are tried for one connection. */
const MAX_TRIES = 3;
/** Exits that are asked for a destination that they refuse. */
const MAX_REFUSALS = 2;
/** For one exit: more than its own time-out for a destination, which is its answer to give. */
const TRY_TIMEOUT_MS = 15_000;
/** For one connection, whatever is tried. */
const OPEN_TIMEOUT_MS = 35_000;
/** Longest name of the DNS, with its last dot (RFC 1035, section 2.3.4). */
const MAX_NAME_CHARS = 254;

/** The exit itself, or the way to it, doesn't work: it rests. */
const EXIT_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'exit_unreachable',
  'relay_unreachable',
  'relay_refused',
  'no_relay',
  'bad_name', // of a relay in its address
  'bad_message',
  'bad_ciphertext',
  'connection_terminated',
  'http_protocol_error',
  'http_request_denied', // it doesn't serve us
  'proxy_internal_error',
]);
/** What one exit says about the destination, or about its own load, may be otherwise at another: one more is asked. */
const ANOTHER_MAY_DO: ReadonlySet<ErrorCode> = new Set([
  'destination_ip_prohibited',
  'destination_ip_unroutable',
  'destination_unavailable',
  'connection_limit_reached',
  'connection_timeout',
  'dns_timeout',
]);

export interface ExitChooserOptions {
  /** Chosen by the user, best first; where there are none, public exits are looked for. */
  readonly exits: readonly WebExit[];
  /** The entry's own, where chosen exits listen that name no relay. */
  readonly relays: readonly string[];
  /** Finds public exits, best with discoverExits(). The signal ends the search. */
  readonly discover: (signal: AbortSignal) => Promise<readonly WebExit[]>;
  readonly openVia: OpenVia;
  readonly log: Logger;
  /** Milliseconds that only grow; default performance.now(). */
  readonly now?: (() => number) | undefined;
  /** From 0 to 1; default Math.random(). */
  readonly random?: (() => number) | undefined;
  /** How long one exit may take; default 15,000. */
  readonly tryTimeoutMs?: number | undefined;
  /** How long opening a connection may take in all; default 35,000. */
  readonly openTimeoutMs?: number | undefined;
}

interface Kept {
  readonly exit: WebExit;
  readonly until: number;
}

/** One connection on its way. */
interface Attempt {
  readonly to: HostPort;
  exits: readonly WebExit[];
  readonly tried: Set<string>;
  readonly failures: readonly NwsError[];
  readonly signal: AbortSignal;
}

export class ExitChooser {
  readonly #options: ExitChooserOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #known: KnownExits;
  readonly #rests = new ExitRests();
  /** By host in lower case, the one unused for longest first. */
  readonly #kept = new BoundedMap<string, Kept>(MAX_KEPT_HOSTS);
  readonly #closing = new AbortController();

  constructor(options: ExitChooserOptions) {
    const { exits, relays, discover, log, now = () => performance.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#random = options.random ?? Math.random;
    const search = () => discover(this.#closing.signal);
    this.#known = new KnownExits({ chosen: exits, relays, discover: search, log, now });
  }

  /** Ends a search that is under way. Connections are their users' to end. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * Opens a connection to a host of the clear web. An aborted signal ends the opening, not the connection.
   * @throws NwsError what the exits say about the destination, or why none can be used: `exit_unreachable`,
   * `relay_unreachable`, `no_relay`; `connection_timeout` when it takes too long; the signal's reason.
   */
  async open(to: HostPort, signal: AbortSignal): Promise<Duplex> {
    if (to.host.length > MAX_NAME_CHARS) {
      throw new NwsError('http_request_error', 'the host is longer than a name of the DNS can be');
    }
    const text = `no exit reached ${formatHostPort(to)} in time`;
    const late = new NwsError('connection_timeout', text);
    const { openTimeoutMs = OPEN_TIMEOUT_MS } = this.#options;
    return within(openTimeoutMs, late, signal, (limited) => this.#tryAll(to, limited));
  }

  async #tryAll(to: HostPort, signal: AbortSignal): Promise<Duplex> {
    const exits = await unlessAborted(this.#known.list(), signal);
    const failures: NwsError[] = [];
    const attempt = { to, exits, tried: new Set<string>(), failures, signal };
    while (failures.length < MAX_TRIES && failures.filter(isRefusal).length < MAX_REFUSALS) {
      const exit = await this.#next(attempt);
      if (exit === undefined) break;
      attempt.tried.add(exit.pubkey);
      try {
        return await this.#openVia(exit, to, signal);
      } catch (error) {
        signal.throwIfAborted();
        const failure = toNwsError(error);
        if (!EXIT_FAULTS.has(failure.code) && !isRefusal(failure)) throw failure;
        this.#onFailure(exit, to, failure);
        failures.push(failure);
      }
    }
    // What an exit says about the destination says more than that another one can't be reached.
    throw failures.find(isRefusal) ?? failures.at(-1) ?? noneSuits(to.host);
  }

  async #openVia(exit: WebExit, to: HostPort, signal: AbortSignal): Promise<Duplex> {
    const { openVia, log, tryTimeoutMs = TRY_TIMEOUT_MS } = this.#options;
    const silent = new NwsError('exit_unreachable', 'the exit did not answer in time');
    const stream = await within(tryTimeoutMs, silent, signal, (limited) =>
      unlessAborted(openVia(exit, formatHostPort(to), limited), limited, (late) => late.destroy()),
    );
    this.#rests.worked(exit.pubkey);
    log.debug({ ...to, exit: exit.pubkey }, 'connected through an exit');
    return stream;
  }

  /** The exit to try next. It is the host's from now on, so that connections opened together share it. */
  async #next(attempt: Attempt): Promise<WebExit | undefined> {
    let exit = this.#keptFor(attempt) ?? this.#rested(attempt);
    if (exit === undefined && !attempt.failures.some(isRefusal)) {
      attempt.exits = await unlessAborted(this.#known.renewed(), attempt.signal);
      // Another connection may have found one meanwhile.
      exit = this.#keptFor(attempt) ?? this.#rested(attempt);
    }
    exit ??= this.#leastResting(attempt);
    if (exit !== undefined) this.#keep(attempt.to.host, exit);
    return exit;
  }

  #rested(attempt: Attempt): WebExit | undefined {
    const now = this.#now();
    const rested = usable(attempt).filter(({ pubkey }) => this.#rests.until(pubkey, now) === 0);
    return rested[this.#known.areChosen ? 0 : Math.floor(this.#random() * rested.length)];
  }

  /** Where all of them rest, one is still better than none. */
  #leastResting(attempt: Attempt): WebExit | undefined {
    const now = this.#now();
    const until = ({ pubkey }: WebExit): number => this.#rests.until(pubkey, now);
    return usable(attempt).toSorted((a, b) => until(a) - until(b))[0];
  }

  #keptFor({ to, exits, tried }: Attempt): WebExit | undefined {
    const now = this.#now();
    const kept = this.#kept.get(keyOf(to.host));
    if (kept === undefined || kept.until <= now) return undefined;
    const { pubkey } = kept.exit;
    if (tried.has(pubkey) || this.#rests.until(pubkey, now) > 0) return undefined;
    // It may listen elsewhere by now; one that no longer announces itself is kept until it fails.
    return exits.find((exit) => exit.pubkey === pubkey) ?? kept.exit;
  }

  #keep(host: string, exit: WebExit): void {
    const key = keyOf(host);
    this.#kept.set(key, { exit, until: this.#now() + KEEP_MS });
  }

  #onFailure({ pubkey }: WebExit, { host }: HostPort, failure: NwsError): void {
    const key = keyOf(host);
    // Unless a connection that failed earlier has found the host another one.
    if (this.#kept.get(key)?.exit.pubkey === pubkey) this.#kept.delete(key);
    if (isRefusal(failure) || !this.#rests.failed(pubkey, this.#now())) return;
    const { code } = failure;
    this.#options.log.info({ exit: pubkey, code }, `exit rests for a while: ${failure.message}`);
  }
}

/** What wasn't tried yet. A name for a NIP-443 exit would have to be resolved here. */
function usable({ to, exits, tried }: Attempt): WebExit[] {
  const isAddress = isIP(to.host) !== 0;
  return exits.filter(({ pubkey, reliable }) => {
    return !tried.has(pubkey) && (reliable !== false || isAddress);
  });
}

function isRefusal({ code }: NwsError): boolean {
  return ANOTHER_MAY_DO.has(code);
}

function keyOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function noneSuits(host: string): NwsError {
  return new NwsError('exit_unreachable', `no known exit takes names, as it must for ${host}`, {
    hint: 'name an exit with --exit that speaks reliable streams; nws discover shows which do',
  });
}
