// Every pairing of our sides with those of the Go program, and of a program written from NIP-443 alone: what people
// do with a tunnel, over one relay and over two, in order and late and out of order.

import { expect } from 'chai';
import { strfryBehaviour } from '../../src/relay/embedded/presets.js';
import { GoEntry } from './go/entry.js';
import { GoExit } from './go/exit.js';
import { bornExpired } from './ground/born-expired.js';
import {
  carriesDownload,
  carriesPage,
  carriesUpload,
  carriesWebSocket,
  type Dial,
} from './ground/carries.js';
import { Ground } from './ground/ground.js';
import { LetterEntry } from './letter/entry.js';
import { LetterExit } from './letter/exit.js';

const DOWNLOAD_BYTES = 5_000_000;
/** Where the way down is the same as in another pairing. */
const SMALL_DOWNLOAD_BYTES = 500_000;
const UPLOAD_BYTES = 100_000;
const SEED = 443;
const CERTIFICATE = bornExpired('exit.nostr');

interface Pairing {
  readonly dial: Dial;
  /** Default: 5 MB. */
  readonly downloadBytes?: number;
  /** What relays have said against events of the stand-in. */
  readonly refusals: () => readonly string[];
}

/** The letter peers differ: NIP-04 and text as in the example on one relay, NIP-44 and base64 on two. */
const asInExample = (ground: Ground): boolean => ground.urls.length === 1;

async function ourEntryGoExit(ground: Ground, reorderSeed?: number): Promise<Pairing> {
  const { urls: relays, backend } = ground;
  const options = { relays, backend, reorderSeed, publish: CERTIFICATE };
  const exit = ground.later(await GoExit.start(options));
  // What it mixes up is what comes to it.
  const downloadBytes = reorderSeed === undefined ? DOWNLOAD_BYTES : SMALL_DOWNLOAD_BYTES;
  return { dial: () => ground.dial(exit.name), downloadBytes, refusals: () => exit.refusals };
}

async function ourEntryLetterExit(ground: Ground): Promise<Pairing> {
  const { urls: relays, backend } = ground;
  const asText = asInExample(ground);
  const scheme = asText ? 'nip04' : 'nip44';
  const options = { relays, backend, scheme, asText, announces: true } as const;
  const exit = ground.later(await LetterExit.start(options));
  return { dial: () => ground.dial(exit.name), refusals: () => exit.refusals };
}

async function goEntryOurExit(ground: Ground): Promise<Pairing> {
  const { domain } = await ground.startExit();
  const entry = ground.later(new GoEntry({ exit: domain }));
  return { dial: () => entry.connect(), refusals: () => entry.refusals };
}

async function letterEntryOurExit(ground: Ground): Promise<Pairing> {
  const { domain } = await ground.startExit();
  const scheme = asInExample(ground) ? 'nip04' : 'nip44';
  const options = { exit: domain, scheme, asInExample: asInExample(ground) } as const;
  const entry = ground.later(await LetterEntry.start(options));
  return { dial: () => entry.connect(), refusals: () => entry.refusals };
}

const PAIRINGS: readonly [title: string, pair: (ground: Ground) => Promise<Pairing>][] = [
  ['our entry and the exit of the Go program', (ground) => ourEntryGoExit(ground)],
  [
    'our entry and an exit of the Go program that mixes up what comes together',
    (ground) => ourEntryGoExit(ground, SEED),
  ],
  ['our entry and an exit to the letter', ourEntryLetterExit],
  ['the entry of the Go program and our exit', goEntryOurExit],
  ['an entry to the letter and our exit', letterEntryOurExit],
];

const GROUNDS = [
  ['one relay', { relays: 1 }],
  ['two relays', { relays: 2 }],
  ['one relay like strfry', { relays: 1, behaviour: strfryBehaviour }],
  ['two relays like strfry', { relays: 2, behaviour: strfryBehaviour }],
] as const;

for (const [over, options] of GROUNDS) {
  describe(`NIP-443 over ${over}`, function () {
    this.timeout(60_000);
    let ground: Ground;
    let pairings: Map<string, Pairing>;

    before(async () => {
      ground = await Ground.start(options);
      pairings = new Map();
      for (const [title, pair] of PAIRINGS) pairings.set(title, await pair(ground));
    });
    after(async () => {
      const refusals = [...pairings.values()].flatMap((pairing) => pairing.refusals());
      await ground.close();
      expect(refusals).to.deep.equal([]);
    });

    it('carries a page in every pairing', async () => {
      // All at once: our entry may have to wait until it knows what an exit speaks.
      await Promise.all([...pairings.values()].map(({ dial }) => carriesPage(dial)));
    });

    for (const [title] of PAIRINGS) {
      it(`carries a download, an upload and a WebSocket between ${title}`, async () => {
        const { dial, downloadBytes = DOWNLOAD_BYTES } = pairings.get(title)!;
        await Promise.all([
          carriesDownload(dial, downloadBytes),
          carriesUpload(dial, UPLOAD_BYTES),
          carriesWebSocket(dial),
        ]);
      });
    }
  });
}
