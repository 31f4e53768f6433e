// A direct path: do both sides take part, and do their probes get through? Asked only where the settings say --direct.

import { toNwsError } from '../../../errors.js';
import { formatServer, type HostPort } from '../../../protocol/direct/servers.js';
import { startDirect } from '../../../proxy/direct.js';
import type { DirectEntry } from '../../../tunnel/direct/direct-entry.js';
import type { DirectReport } from '../../../tunnel/direct/options.js';
import { Session } from '../../../tunnel/session.js';
import { givenSigner } from '../../signers.js';
import { type Check, type Finding, failed, type Patient, skipped } from '../check.js';
import { askStun, type StunWord } from '../probe/stun.js';

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/does not take part/, 'the exit needs --direct, too; streams stay on the relays'],
  [/not among those/, 'name it with --direct-exit, or take --direct for all'],
  [/STUN|outside/, 'add --stun host:port; where UDP is blocked, streams stay on the relays'],
  [/symmetric/, 'a port that the router forwards, and --direct-address; or one at the exit'],
  [
    /keeps its port/,
    'a port of UDP that the router there forwards, and --direct-address at the exit',
  ],
  [
    /no probe/,
    'a port of UDP that one of the routers forwards, and --direct-address there; ' +
      'two --stun servers show whether it is the NAT here',
  ],
];

const STUN_WORDS: Readonly<Record<StunWord, Pick<Finding, 'found' | 'hint'>>> = {
  answers: { found: 'answers now', hint: 'some of what is sent to it may be lost: try again' },
  refuses: {
    found: 'nothing listens there, and UDP gets through to it',
    hint: 'start one there, as nws relay --stun is, or name another',
  },
  'is silent': {
    found: 'is silent: it is down, or UDP is blocked on the way',
    hint: 'where all are silent it is most likely UDP, in a firewall between',
  },
  'has no address': { found: 'its name has no address', hint: 'check how --stun is spelled' },
  'is out of reach': { found: 'no way leads to its address', hint: 'check the network, or IPv6' },
};

export const directCheck: Check = {
  waitsFor: 'a direct path to the exit',
  async *run(patient) {
    const { decoded, to, pin, config } = patient;
    if (decoded === undefined || config.direct === undefined) return;
    if (to === undefined) return yield skipped('direct', 'the name has to be known first');
    if (pin?.reliable === false) {
      return yield skipped('direct', 'the exit knows NIP-443 alone');
    }
    try {
      const report = await lookFor(patient, to, config.direct);
      yield findingOf(report);
      if (report.state === 'standing' || !/STUN|outside/.test(report.reason ?? '')) return;
      for await (const finding of serverFindings(config.direct.stun)) yield finding;
    } catch (error) {
      const failure = toNwsError(error);
      if (failure.code !== 'address_in_use') return yield failed('direct', failure);
      const found = 'not checked: the UDP port is taken, by your proxy perhaps';
      const hint = 'stop that for this check, or see "way" in its log';
      yield { check: 'direct', status: 'note', found, hint };
    }
  },
};

/** Opens a stream, by which the exit says whether it takes part, and looks for a path beside it. */
async function lookFor(
  { pool, log, config }: Patient,
  { pubkey, relays, destination }: NonNullable<Patient['to']>,
  settings: NonNullable<Patient['config']['direct']>,
): Promise<DirectReport> {
  const directEntry: DirectEntry = await startDirect(settings, log);
  const session = new Session({ pool, log, signer: await givenSigner(config), directEntry });
  try {
    const { stream } = await session.open({
      peer: pubkey,
      relays,
      destination: `${destination}:443`,
    });
    stream.on('error', () => undefined);
    try {
      return await directEntry.arrange(pubkey);
    } finally {
      stream.destroy();
    }
  } finally {
    await session.close(0);
  }
}

/** What became of each server, where a path failed for want of one that answers. */
async function* serverFindings(servers: readonly HostPort[]): AsyncIterable<Finding> {
  const words = await Promise.all(servers.map(askStun));
  for (const [index, word] of words.entries()) {
    const subject = formatServer(servers[index]!);
    const status = word === 'answers' ? 'note' : 'failed';
    yield { check: 'stun', subject, status, ...STUN_WORDS[word] };
  }
}

function findingOf({ state, remote, rttMs = 0, reason = state }: DirectReport): Finding {
  if (state === 'standing') {
    const found = `stands, with ${remote}, ${Math.max(1, Math.round(rttMs))} ms there and back`;
    return { check: 'direct', status: 'ok', found, details: { remote, roundTripMs: rttMs } };
  }
  const hint = HINTS.find(([pattern]) => pattern.test(reason))?.[1];
  return { check: 'direct', status: 'failed', found: `no direct path: ${reason}`, hint };
}
