// Composes the exit: relays, session, policy, target, and the certificate event that makes it known.
//
//   relays ═ RelayPool ─ Session ─ Admission ─ HttpTarget | TcpTarget ─ dial ─ target

import type { Agent } from 'node:http';
import type { EventTemplate } from 'nostr-tools';
import type { Logger } from 'pino';
import { ownAddresses } from '../common/net/own-addresses.js';
import { inTime } from '../common/waiting.js';
import type { Signer } from '../crypto/signer.js';
import { NwsError } from '../errors.js';
import type { Credentials } from '../http/auth/auth.js';
import type { HostPort } from '../http/host-port.js';
import { MAX_STREAMS, SHUTDOWN_GRACE_MS } from '../limits.js';
import { encodeNprofile, encodeNpub } from '../protocol/names/address.js';
import { certificateEvent } from '../protocol/wire/events.js';
import { RelayPool } from '../relay/pool.js';
import type { StatusServer } from '../status/serving/server.js';
import { type ExitCertificate, openExitCertificate } from '../tls/certificate.js';
import { Accounts, type Sums } from '../tunnel/accounts/accounts.js';
import type { DirectSettings } from '../tunnel/direct/options.js';
import { Events } from '../tunnel/events.js';
import { fittingFiles, warnOfFewFiles } from '../tunnel/open-files.js';
import { type IncomingStream, Session } from '../tunnel/session.js';
import type { SessionOptions } from '../tunnel/session-options.js';
import { Admission } from './admission.js';
import { Announcer } from './announcing/announce.js';
import { fittingName } from './announcing/fitting-name.js';
import { Heartbeat } from './announcing/heartbeat.js';
import { relayListTemplate } from './announcing/relay-list.js';
import { type ClientLimits, DEFAULT_CLIENT_LIMITS, type Lists } from './clients/clients.js';
import { door } from './clients/door.js';
import { startDirect } from './dial/direct.js';
import { Policy } from './policy/policy.js';
import type { Rule } from './policy/rules.js';
import { type Handler, targetOf } from './serving/in-process.js';
import { type Shown, serveStatus } from './status.js';
import { HttpTarget } from './targets/http-target.js';
import type { Target, TargetServer } from './targets/target.js';
import { TcpTarget } from './targets/tcp-target.js';

/** How long a start waits for a relay to take the certificate before it goes on without. */
const ANNOUNCE_WAIT_MS = 10_000;

/** What an exit is started with. */
export interface ExitOptions {
  /** The exit's identity: its public key is its name. */
  readonly signer: Signer;
  /** URLs of the relays to listen on, `ws://` or `wss://`, at least one. */
  readonly relays: readonly string[];
  /** Absent where the exit only serves destinations of others. */
  readonly target?: Target | undefined;
  /** Folder of certificates. */
  readonly home: string;
  /** Where it tells what it does. */
  readonly log: Logger;
  /** Host toward an HTTP target: a value, or `target` for the target's own; default: the client's. */
  readonly hostHeader?: string | undefined;
  /** Announces the exit, and opens the web on public addresses. */
  readonly isPublic?: boolean | undefined;
  /** From one announcement to the next, in seconds; default 10. */
  readonly announceIntervalS?: number | undefined;
  /** Destinations that are open besides the target. */
  readonly allow?: readonly Rule[] | undefined;
  /** Destinations that are closed, whatever opens them. */
  readonly deny?: readonly Rule[] | undefined;
  /** Clients that are served: pubkeys in hex; absent: everyone. */
  readonly allowClients?: ReadonlySet<string> | undefined;
  /** Clients that never are. */
  readonly denyClients?: ReadonlySet<string> | undefined;
  /** Bounds for each client; default: 10,000 streams at once, 12,000 a minute. */
  readonly clientLimits?: ClientLimits | undefined;
  /** Takes part in looking for direct paths; absent: nobody learns this side's address. */
  readonly direct?: DirectSettings | undefined;
  /** Largest event in bytes of JSON; default 65,536, or less where a relay says so. */
  readonly maxEventBytes?: number | undefined;
  /** Upstream proxy for a relay. */
  readonly agentFor?: ((url: string) => Agent | undefined) | undefined;
  /** Where the status page, metrics and health are served; absent: nowhere. Beyond loopback it wants `auth`. */
  readonly status?: HostPort | undefined;
  /** What viewers of these pages have to give; absent: nothing. */
  readonly auth?: Credentials | undefined;
}

/** Who may come, for what and how much: what may change while an exit runs. */
export type Access = Pick<
  ExitOptions,
  'allow' | 'deny' | 'allowClients' | 'denyClients' | 'clientLimits'
>;

/** An exit that runs. */
export interface RunningExit {
  /** Its public key, hex. */
  readonly pubkey: string;
  /** The same by NIP-19. */
  readonly npub: string;
  /** `<relay>….<pubkey>.nostr`, with the relays that fit a name. */
  readonly domain: string;
  /** Key and all relays, by NIP-19. */
  readonly nprofile: string;
  /** `http://host:port` of the status page, where there is one. */
  readonly statusUrl: string | undefined;
  /** Streams that are open. */
  readonly streams: number;
  /** What became of all streams so far. */
  readonly sums: Sums;
  /** `stream` and `relay`, as they come and go. */
  readonly events: Events;
  /**
   * Makes this exit, which has no target, the server of its name: an http.Server, which need not listen, or a function
   * from Request to Response. Resolves when a relay has the certificate that clients check, or none took it in time.
   * @throws NwsError `bad_config` where it has something to serve already, and for what is no handler;
   *   `shutting_down` once it is closed
   */
  serve(handler: Handler): Promise<void>;
  /**
   * Takes other rules from now on; what is left out is as by default. Streams that are open stay, but those of a client
   * that may not come any more, to which nothing more is said.
   */
  update(access: Access): void;
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
  const events = new Events();
  const accounts = new Accounts('exit', log, events.onStream);
  const policy = policyOf(options);
  const directExit = options.direct && (await startDirect(options.direct, policy, log));
  const admission = admissionFor(options, policy, certificate, accounts);
  const take = (incoming: IncomingStream): void => admission.take(incoming);
  const lists = listsOf(options);
  const { pool, session } = connect(options, events, {
    onIncoming: take,
    admits: door(lists, accounts.failures),
    directExit,
  });
  const update = (next: Access): void => {
    Object.assign(lists, listsOf(next));
    policy.update(next.allow ?? [], next.deny ?? []);
    admission.update(next.clientLimits ?? DEFAULT_CLIENT_LIMITS);
  };
  let shown: Shown = { target, certificate };
  let status: StatusServer | undefined;
  const announcers: { close(): void }[] = [];
  let isClosed = false;
  const close = async (graceMs = SHUTDOWN_GRACE_MS): Promise<void> => {
    isClosed = true;
    await status?.close();
    for (const announcer of announcers) announcer.close();
    await Promise.all([admission.close(graceMs), session.close(graceMs)]);
    await pool.close();
  };
  const publish = async (templates: readonly EventTemplate[]): Promise<void> => {
    const links = relays.map((url) => pool.acquire(url));
    const events = templates.map((template) => signer.sign(template));
    const announcer = new Announcer(events, links, log);
    announcers.push(announcer);
    await acceptedInTime(announcer, log);
  };
  const serve = async (handler: Handler): Promise<void> => {
    if (admission.own !== undefined) throw servesAlready();
    const own = { ...options, target: targetOf(handler) };
    const opened = await openExitCertificate(home, pubkey, [domain]);
    if (isClosed) throw new NwsError('shutting_down', 'the exit is closed');
    if (admission.own !== undefined) throw servesAlready();
    admission.own = serverFor(own, opened, accounts.failures);
    shown = { target: own.target, certificate: opened };
    await publish([certificateTemplate(opened, options)]);
  };
  try {
    const direct = (client: string) => directExit?.reportOf(client);
    const running = { pool, session, accounts, domain, direct, shown: () => shown };
    status = await serveStatus(options, running);
    await session.start();
    warnOfFewFiles(log);
    const list = await relayListTemplate(options, pool);
    await publish(certificate ? [certificateTemplate(certificate, options), list] : [list]);
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
    events,
    serve,
    update,
    close,
  };
}

function connect(
  options: ExitOptions,
  { onRelay }: Events,
  asExit: Pick<SessionOptions, 'onIncoming' | 'admits' | 'directExit'>,
): { pool: RelayPool; session: Session } {
  const { signer, relays, log, agentFor, maxEventBytes } = options;
  const authSigners = (): Signer[] => [signer];
  const limits = { eventLimitBytes: maxEventBytes };
  const pool = new RelayPool({ log, authSigners, agentFor, ...limits, onRelay });
  // Each stream has a connection to its target.
  const maxStreams = fittingFiles(MAX_STREAMS);
  const session = new Session({ pool, log, signer, relays, maxStreams, ...asExit });
  return { pool, session };
}

function listsOf({ allowClients, denyClients }: Access): Lists {
  return { allowClients, denyClients };
}

function policyOf({ signer, isPublic = false, allow = [], deny = [] }: ExitOptions): Policy {
  return new Policy({ isPublic, allow, deny, ownPubkey: signer.pubkey, ownAddresses });
}

function admissionFor(
  options: ExitOptions,
  policy: Policy,
  certificate: ExitCertificate | undefined,
  accounts: Accounts,
): Admission {
  const { log, clientLimits = DEFAULT_CLIENT_LIMITS } = options;
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
  const { signer, relays, log, announceIntervalS: intervalS, direct } = options;
  const links = relays.map((url) => pool.acquire(url));
  return new Heartbeat({ signer, links, log, intervalS, direct: direct !== undefined });
}

function certificateTemplate(
  { cert, fingerprint }: ExitCertificate,
  { signer, direct }: ExitOptions,
): EventTemplate {
  const now = Math.floor(Date.now() / 1000);
  return certificateEvent(cert, signer.pubkey, fingerprint, now, direct !== undefined);
}

async function acceptedInTime(announcer: Announcer, log: Logger): Promise<void> {
  const accepted = announcer.accepted.then(() => true);
  if (await inTime(accepted, ANNOUNCE_WAIT_MS)) return;
  log.warn(
    'no relay has taken the certificate yet; clients cannot verify this exit until one does',
  );
}

function servesAlready(): NwsError {
  return new NwsError('bad_config', 'the exit has something to serve already', {
    hint: 'start one without a target, and serve() once; one http.Server can answer by what is asked',
  });
}
