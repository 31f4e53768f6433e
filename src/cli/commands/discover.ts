// `nws discover`: the public exits that announce themselves now, and how far away they are.

import type { Logger } from 'pino';
import { baseConfig } from '../../config/config.js';
import { NwsError } from '../../errors.js';
import { encodeNprofile, encodeNpub } from '../../protocol/names/address.js';
import { type AnnouncedExit, discoverExits } from '../../proxy/clearnet/discovery.js';
import type { RelayPool } from '../../relay/pool.js';
import { Session } from '../../tunnel/session.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, openLog, print, sourcesOf } from '../io.js';
import { withLookup } from '../lookup/lookup.js';
import { waitingLine } from '../waiting.js';

/** Who asks exits for a sign of life. */
export interface Pinger {
  /** Milliseconds to the exit and back; undefined where it gives no answer in time. */
  ping(pubkey: string, relays: readonly string[]): Promise<number | undefined>;
  close(): Promise<void>;
}

type OpenPinger = (pool: RelayPool, log: Logger) => Pinger;

interface Measured extends AnnouncedExit {
  readonly roundTripMs: number | undefined;
}

export const discoverCommand = (io: Io, openPinger: OpenPinger = sessionPinger): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('relay', 'home', 'log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          ['who announces itself at a relay', 'nws discover --relay wss://relay.example'],
          ['then reach the clear web through one', 'nws proxy --clearnet exit --exit npub1…'],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const config = baseConfig(sources, 'warn');
    const waiting = waitingLine(io, flags);
    const log = openLog(io, config, waiting.stderr);
    const { relays } = config;
    const exits = await withLookup(sources, config, log, async ({ pool }) => {
      const announced = await waiting.during('announcements at the relays', () =>
        discoverExits({ source: pool, relays }),
      );
      return waiting.during(`a sign of life of ${announced.length} exits`, () =>
        measured(announced, openPinger(pool, log)),
      );
    });
    const nowS = Math.floor(Date.now() / 1_000);
    const found = exits.map((exit) => describe(exit, nowS));
    // For a script, none is an answer as well.
    if (flags.json === true || found.length > 0) print(io, flags, { exits: found }, toText(found));
    if (found.length === 0) throw noneFound(relays);
  },
});

async function measured(exits: readonly AnnouncedExit[], pinger: Pinger): Promise<Measured[]> {
  try {
    const all = await Promise.all(
      exits.map(async (exit) => ({
        ...exit,
        roundTripMs: await pinger.ping(exit.pubkey, exit.relays),
      })),
    );
    const distance = ({ roundTripMs = Number.MAX_VALUE }: Measured): number => roundTripMs;
    return all.sort((a, b) => distance(a) - distance(b));
  } finally {
    await pinger.close();
  }
}

function describe({ pubkey, relays, reliable, announcedAt, roundTripMs }: Measured, nowS: number) {
  return {
    npub: encodeNpub(pubkey),
    pubkey,
    nprofile: encodeNprofile({ pubkey, relays }),
    relays,
    reliableStreams: reliable,
    announcedAt: new Date(announcedAt * 1_000).toISOString(),
    ageSeconds: Math.max(0, nowS - announcedAt),
    roundTripMs: roundTripMs === undefined ? null : Math.round(roundTripMs),
  };
}

function toText(exits: readonly ReturnType<typeof describe>[]): string {
  const lines = exits.map(({ npub, roundTripMs, reliableStreams, ageSeconds, relays }) => {
    const distance = roundTripMs === null ? '-' : `${roundTripMs} ms`;
    const streams = reliableStreams ? 'reliable' : 'NIP-443';
    return `${npub}  ${distance.padStart(8)}  ${streams}  ${ageSeconds} s ago  ${relays.join(' ')}`;
  });
  return lines.join('\n');
}

function noneFound(relays: readonly string[]): NwsError {
  return new NwsError(
    'exit_unreachable',
    `no public exit announces itself at ${relays.join(' ')}`,
    {
      hint: 'try other relays with --relay, or start an exit with --public',
    },
  );
}

function sessionPinger(pool: RelayPool, log: Logger): Pinger {
  const session = new Session({ pool, log });
  return {
    ping: (peer, relays) => session.ping({ peer, relays }).catch(() => undefined),
    close: () => session.close(),
  };
}
