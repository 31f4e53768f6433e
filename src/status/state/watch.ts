// Reads the state of a running proxy or exit into the rows that are shown. Nothing is kept here: who doesn't look,
// doesn't pay.

import { packageVersion } from '../../common/version.js';
import type { RelayLink } from '../../relay/link.js';
import type { RelayPool } from '../../relay/pool.js';
import type { Accounts, OpenStream, Tally } from '../../tunnel/accounts/accounts.js';
import type { DirectReport } from '../../tunnel/direct/options.js';
import type { Session } from '../../tunnel/session.js';
import { adviceFor } from './advice.js';
import { npubOf } from './npubs.js';
import type {
  ErrorRow,
  PeerRow,
  PinRow,
  RelayRow,
  RelayState,
  StreamRow,
  Summary,
  TargetRow,
  Traffic,
} from './report.js';

/** What is watched, as the proxy and the exit hand it over. */
export interface Subject {
  readonly role: 'proxy' | 'exit';
  readonly pool: Pick<RelayPool, 'links' | 'ledger'>;
  readonly session: Pick<Session, 'peers' | 'restsUntil' | 'ignored'>;
  readonly accounts: Accounts;
  /** Why no request can be served now. */
  readonly obstacle: () => string | undefined;
  /** The newest first, so many at most. */
  readonly pins: (limit: number) => readonly PinRow[];
  readonly pinsKnown: () => number;
  /** Where this side looks for direct paths. */
  readonly direct?: ((peer: string) => DirectReport | undefined) | undefined;
  readonly about?: (() => Pick<Summary, 'name' | 'npub' | 'target'>) | undefined;
  readonly connections?: (() => number) | undefined;
}

const startedAt = Date.now() - Math.round(process.uptime() * 1_000);

export function summaryOf(subject: Subject): Summary {
  const { role, accounts, about, connections } = subject;
  const { opened, open, refused, failed } = accounts.sums;
  const ways = [...accounts.ways].map(([way, sums]) => ({ way, ...sums }));
  const obstacle = subject.obstacle();
  return {
    program: 'nws',
    version: packageVersion(),
    role,
    startedAt,
    uptimeSeconds: Math.floor(process.uptime()),
    ready: obstacle === undefined,
    obstacle,
    ...about?.(),
    connections: connections?.(),
    streamsOpen: open,
    streamsOpened: opened,
    streamsRefused: total(refused),
    streamsFailed: total(failed),
    pinsKnown: subject.pinsKnown(),
    bytesUp: ways.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
    bytesDown: ways.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
    ways,
  };
}

export function relaysOf({ pool, session }: Subject): RelayRow[] {
  return pool.links().map((link) => {
    const isResting = session.restsUntil(link) !== undefined;
    const { lastRefusal, ...counts } = countsOf(pool.ledger.of(link.url));
    const state = stateOf(link, isResting);
    return {
      url: link.url,
      state,
      reason: {
        up: undefined,
        connecting: undefined,
        deaf: link.deafness,
        resting: lastRefusal?.reason,
        down: link.lastError,
      }[state],
      roundTripMs: rounded(link.okLatencyMs),
      eventLimitBytes: link.eventLimitBytes,
      unconfirmedBytes: link.unconfirmedBytes,
      ...counts,
      lastRefusal,
    };
  });
}

export function streamRow(stream: OpenStream): StreamRow {
  const { id, key, destination: host, peer, way, openedAt, bytes } = stream;
  return { id, key, host, peer, npub: npubOf(peer), way, openedAt, ...bytes };
}

/** A record that can't be read is told by every request that fails for it, not here. */
export function pinsOf({ pins }: Subject, limit: number): readonly PinRow[] {
  try {
    return pins(limit);
  } catch {
    return [];
  }
}

/** Those with open streams first, then those that were met last. */
export function peersOf({ accounts, session, direct }: Subject, limit: number): PeerRow[] {
  const known = new Map([...session.peers].map((peer) => [peer.pubkey, peer]));
  const now = openBy(accounts.streams, ({ peer }) => peer);
  return latest(accounts.peers.entries(), now, limit).map(([pubkey, tally]) => {
    const peer = known.get(pubkey);
    const kind = peer?.state.kind;
    return {
      pubkey,
      npub: npubOf(pubkey),
      ...withOpen(tally, now.get(pubkey)),
      kind: kind === 'unknown' ? undefined : kind,
      roundTripMs: rounded(peer?.state.roundTrip.smoothedMs),
      relay: peer?.route.current?.url,
      direct: directRow(direct?.(pubkey)),
    };
  });
}

function directRow(report: DirectReport | undefined): PeerRow['direct'] {
  if (report === undefined) return undefined;
  const { peer: _peer, rttMs, ...rest } = report;
  return { ...rest, ...(rttMs !== undefined && { rttMs: rounded(rttMs) }) };
}

export function targetsOf({ accounts }: Subject, limit: number): TargetRow[] {
  const now = openBy(accounts.streams, ({ destination }) => destination);
  return latest(accounts.destinations.entries(), now, limit).map(([host, tally]) => {
    return { host, ...withOpen(tally, now.get(host)) };
  });
}

export function errorsOf({ accounts }: Subject): ErrorRow[] {
  return accounts.failures.list().map(({ hint, ...failure }) => {
    return { ...failure, hint: hint ?? adviceFor(failure.code) };
  });
}

interface Open extends Traffic {
  streams: number;
  bytesUp: number;
  bytesDown: number;
}

function openBy(
  streams: Iterable<OpenStream>,
  nameOf: (stream: OpenStream) => string,
): Map<string, Open> {
  const sums = new Map<string, Open>();
  for (const stream of streams) {
    const name = nameOf(stream);
    const sum = sums.get(name) ?? { streams: 0, bytesUp: 0, bytesDown: 0 };
    const { bytesUp, bytesDown } = stream.bytes;
    sum.streams += 1;
    sum.bytesUp += bytesUp;
    sum.bytesDown += bytesDown;
    sums.set(name, sum);
  }
  return sums;
}

function latest(
  tallies: Iterable<[string, Readonly<Tally>]>,
  open: ReadonlyMap<string, Open>,
  limit: number,
): [string, Readonly<Tally>][] {
  const streams = (name: string): number => open.get(name)?.streams ?? 0;
  return [...tallies]
    .sort(([a, { metAt: aAt }], [b, { metAt: bAt }]) => streams(b) - streams(a) || bAt - aAt)
    .slice(0, limit);
}

function withOpen({ opened, refused, bytesUp, bytesDown }: Tally, open?: Open) {
  return {
    streams: open?.streams ?? 0,
    opened,
    refused,
    bytesUp: bytesUp + (open?.bytesUp ?? 0),
    bytesDown: bytesDown + (open?.bytesDown ?? 0),
  };
}

function stateOf(link: RelayLink, isResting: boolean): RelayState {
  if (!link.isUp) return link.lastError === undefined ? 'connecting' : 'down';
  if (isResting) return 'resting';
  return link.deafness === undefined ? 'up' : 'deaf';
}

function countsOf(counts: ReturnType<RelayPool['ledger']['of']>) {
  const { connects, eventsSent, eventsReceived, bytesSent, bytesReceived, refusals } = counts;
  const { lastRefusal } = counts;
  return { connects, eventsSent, eventsReceived, bytesSent, bytesReceived, refusals, lastRefusal };
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** To a tenth of a millisecond. */
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
