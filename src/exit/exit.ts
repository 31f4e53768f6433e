// Composes the exit: relays, session, policy, target, and the certificate event that makes it known.
//
//   relays ═ RelayPool ─ Session ─ Admission ─ HttpTarget | TcpTarget ─ dial ─ target

import type { Agent } from 'node:http';
import type { Event as NostrEvent } from 'nostr-tools';
import type { Logger } from 'pino';
import { inTime } from '../common/waiting.js';
import type { Signer } from '../crypto/signer.js';
import { toNwsError } from '../errors.js';
import type { Credentials } from '../http/auth/auth.js';
import type { HostPort } from '../http/host-port.js';
import { SHUTDOWN_GRACE_MS } from '../limits.js';
import {
  encodeName,
  encodeNprofile,
  encodeNpub,
  normalizeRelayUrl,
} from '../protocol/names/address.js';
import { certificateEvent, KIND, relayListEvent } from '../protocol/wire/events.js';
import { RelayPool } from '../relay/pool.js';
import type { StatusServer } from '../status/serving/server.js';
import { obstacleOf } from '../status/state/obstacle.js';
import { ownPinRow } from '../status/state/pin-rows.js';
import { type ExitCertificate, openExitCertificate } from '../tls/certificate.js';
import { Accounts, type Sums } from '../tunnel/accounts/accounts.js';
import { type IncomingStream, Session } from '../tunnel/session.js';
import { Admission } from './admission.js';
import { Announcer } from './announcing/announce.js';
import { Heartbeat } from './announcing/heartbeat.js';
import { admits, type ClientLimits, DEFAULT_CLIENT_LIMITS } from './clients/clients.js';
import { ownAddresses } from './policy/own-addresses.js';
import { Policy } from './policy/policy.js';
import type { Rule } from './policy/rules.js';
import { HttpTarget } from './targets/http-target.js';
import { authorityOf, type Target, type TargetServer } from './targets/target.js';
import { TcpTarget } from './targets/tcp-target.js';

/** How long a start waits for a relay to take the certificate before it goes on without. */
const ANNOUNCE_WAIT_MS = 10_000;
/** How long relays may take to show the relay list that was published before. */
const QUERY_TIMEOUT_MS = 3_000;

export interface ExitOptions {
  readonly signer: Signer;
  readonly relays: readonly string[];
  /** Absent where the exit only serves destinations of others. */
  readonly target?: Target | undefined;
  /** Folder of certificates. */
  readonly home: string;
  readonly log: Logger;
  /** Host toward an HTTP target: a value, or `target` for the target's own; default: the client's. */
  readonly hostHeader?: string | undefined;
  /** Announces the exit, and opens the web on public addresses. */
  readonly isPublic?: boolean | undefined;
  /** From one announcement to the next, in seconds; default 10. */
  readonly announceIntervalS?: number | undefined;
  /** What else is open, and what is closed whatever opens it. */
  readonly allow?: readonly Rule[] | undefined;
  readonly deny?: readonly Rule[] | undefined;
  /** Pubkeys in hex; absent: everyone. */
  readonly allowClients?: ReadonlySet<string> | undefined;
  readonly denyClients?: ReadonlySet<string> | undefined;
  readonly clientLimits?: ClientLimits | undefined;
  /** Largest event in bytes of JSON. */
  readonly maxEventBytes?: number | undefined;
  /** Upstream proxy for a relay. */
  readonly agentFor?: ((url: string) => Agent | undefined) | undefined;
  /** Where the status page, metrics and health are served; absent: nowhere. Beyond loopback it wants `auth`. */
  readonly status?: HostPort | undefined;
  /** What viewers of these pages have to give; absent: nothing. */
  readonly auth?: Credentials | undefined;
}

export interface RunningExit {
  readonly pubkey: string;
  readonly npub: string;
  /** `<relay>….<pubkey>.nostr`, with the relays that fit a name. */
  readonly domain: string;
  /** With all relays. */
  readonly nprofile: string;
  /** `http://host:port` of the status page, where there is one. */
  readonly statusUrl: string | undefined;
  /** Streams that are open. */
  readonly streams: number;
  /** What became of all streams so far. */
  readonly sums: Sums;
  /** Lets streams end for `graceMs`, then resets them. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts an exit; resolves when a relay is up and, for HTTP targets, has the certificate. Where no relay
 * takes that, it says so in the log and goes on: clients that know the exit can still use it.
 * @throws NwsError `relay_unreachable` where no relay is reached in time; `bad_config` for broken files.
 */
export async function startExit(options: ExitOptions): Promise<RunningExit> {
  const { signer, relays, target, home, log } = options;
  const { pubkey } = signer;
  const domain = fittingName(pubkey, relays, log);
  const isWeb = target !== undefined && target.kind !== 'tcp';
  const certificate = isWeb ? await openExitCertificate(home, pubkey, [domain]) : undefined;
  const accounts = new Accounts('exit', log);
  const admission = admissionFor(options, certificate, accounts);
  const { pool, session } = connect(options, (incoming) => admission.take(incoming));
  let status: StatusServer | undefined;
  const announcers: { close(): void }[] = [];
  const close = async (graceMs = SHUTDOWN_GRACE_MS): Promise<void> => {
    await status?.close();
    for (const announcer of announcers) announcer.close();
    await Promise.all([admission.close(graceMs), session.close(graceMs)]);
    await pool.close();
  };
  try {
    status = await statusServer(options, { pool, session, accounts, domain, certificate });
    await session.start();
    const announcer = await announce(certificate, options, pool);
    announcers.push(announcer);
    await acceptedInTime(announcer, log);
    if (options.isPublic) announcers.push(heartbeat(options, pool));
  } catch (error) {
    await close(0);
    throw error;
  }
  return {
    pubkey,
    npub: encodeNpub(pubkey),
    domain,
    nprofile: encodeNprofile({ pubkey, relays }),
    statusUrl: status?.url,
    get streams() {
      return session.streams + admission.direct;
    },
    get sums() {
      return accounts.sums;
    },
    close,
  };
}

function connect(
  options: ExitOptions,
  onIncoming: (incoming: IncomingStream) => void,
): { pool: RelayPool; session: Session } {
  const { signer, relays, log, agentFor, maxEventBytes } = options;
  const authSigners = (): Signer[] => [signer];
  const pool = new RelayPool({ log, authSigners, agentFor, eventLimitBytes: maxEventBytes });
  const mayCome = (client: string): boolean => admits(options, client);
  const session = new Session({ pool, log, signer, relays, admits: mayCome, onIncoming });
  return { pool, session };
}

interface Parts {
  readonly pool: RelayPool;
  readonly session: Session;
  readonly accounts: Accounts;
  readonly domain: string;
  readonly certificate: ExitCertificate | undefined;
}

/** It listens before a relay is up: that there is none is the first thing to be seen there. */
async function statusServer(
  { signer, relays, target, status: listen, auth, log }: ExitOptions,
  { pool, session, accounts, domain, certificate }: Parts,
): Promise<StatusServer | undefined> {
  if (listen === undefined) return undefined;
  const { StatusServer } = await import('../status/serving/server.js');
  const { pubkey } = signer;
  const urls = relays.map(normalizeRelayUrl);
  const pins = certificate ? [ownPinRow(certificate, pubkey, Date.now())] : [];
  const about = {
    name: domain,
    npub: encodeNpub(pubkey),
    target: target && `${target.kind}://${authorityOf(target)}${target.path}`,
  };
  return StatusServer.start({
    ...{ listen, auth, log },
    subject: {
      ...{ role: 'exit', pool, session, accounts, about },
      obstacle: () => obstacleOf(pool, urls),
      pins: () => pins,
      pinsKnown: () => pins.length,
    },
  });
}

function admissionFor(
  options: ExitOptions,
  certificate: ExitCertificate | undefined,
  accounts: Accounts,
): Admission {
  const { signer, log, isPublic = false, allow = [], deny = [] } = options;
  const rules = { isPublic, allow, deny };
  const policy = new Policy({ ...rules, ownPubkey: signer.pubkey, ownAddresses });
  const { clientLimits = DEFAULT_CLIENT_LIMITS } = options;
  const own = serverFor(options, certificate, accounts.failures);
  return new Admission({ policy, clientLimits, own, accounts, log });
}

function serverFor(
  { target, log, hostHeader }: ExitOptions,
  certificate: ExitCertificate | undefined,
  failures: Accounts['failures'],
): TargetServer | undefined {
  if (target === undefined) return undefined;
  if (certificate === undefined) return new TcpTarget({ target, log });
  return new HttpTarget({ target, certificate, log, hostHeader, failures });
}

function heartbeat(options: ExitOptions, pool: RelayPool): Heartbeat {
  const { signer, relays, log, announceIntervalS: intervalS } = options;
  const links = relays.map((url) => pool.acquire(url));
  return new Heartbeat({ signer, links, log, intervalS });
}

async function announce(
  certificate: ExitCertificate | undefined,
  { signer, relays, log }: ExitOptions,
  pool: RelayPool,
): Promise<Announcer> {
  const { pubkey } = signer;
  const earlier = await earlierRelayList(pubkey, relays, pool);
  const createdAt = Math.floor(Date.now() / 1000);
  // Relays keep the newer one, also where our clock has been set back since.
  const listedAt = Math.max(createdAt, (earlier?.created_at ?? 0) + 1);
  const templates = [relayListEvent(relays, earlier, listedAt)];
  if (certificate !== undefined) {
    const { cert, fingerprint } = certificate;
    templates.unshift(certificateEvent(cert, pubkey, fingerprint, createdAt));
  }
  const links = relays.map((url) => pool.acquire(url));
  return new Announcer(
    templates.map((template) => signer.sign(template)),
    links,
    log,
  );
}

async function earlierRelayList(
  pubkey: string,
  relays: readonly string[],
  pool: RelayPool,
): Promise<NostrEvent | undefined> {
  const filter = { kinds: [KIND.relayList], authors: [pubkey], limit: 1 };
  const lists = await pool.query(relays, filter, QUERY_TIMEOUT_MS);
  return lists.sort((a, b) => b.created_at - a.created_at)[0];
}

async function acceptedInTime(announcer: Announcer, log: Logger): Promise<void> {
  const accepted = announcer.accepted.then(() => true);
  if (await inTime(accepted, ANNOUNCE_WAIT_MS)) return;
  log.warn(
    'no relay has taken the certificate yet; clients cannot verify this exit until one does',
  );
}

/** A name holds 253 characters, a relay 39 bytes: what does not fit is left to the nprofile. */
function fittingName(pubkey: string, relays: readonly string[], log: Logger): string {
  const fitting: string[] = [];
  let name = encodeName({ pubkey, relays: [] });
  for (const relay of relays) {
    try {
      name = encodeName({ pubkey, relays: [...fitting, relay] });
      fitting.push(relay);
    } catch (error) {
      log.warn({ relay }, `left out of the name: ${toNwsError(error).message}`);
    }
  }
  return name;
}
