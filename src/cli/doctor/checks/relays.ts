// Each relay, of the settings and of the name: what it does with events of ours to ourselves.

import { toNwsError } from '../../../errors.js';
import { givenSigner } from '../../signers.js';
import { upstreamOf } from '../../upstream.js';
import { type Check, type Finding, type Patient, skipped } from '../check.js';
import { probeRelay } from '../probe/probe.js';
import { inWords } from '../probe/words.js';

export const relaysCheck: Check = {
  waitsFor: 'the relays, which get a few events to try',
  async *run(patient) {
    if (patient.relays.length === 0) {
      const hint = 'name one with --relay or NOSTR_RELAYS, or give a name that carries its relay';
      return yield { ...skipped('relay', 'none is set'), hint };
    }
    // Side by side: they don't know of each other.
    for (const finding of patient.relays.map((url) => probed(url, patient))) yield finding;
  },
};

async function probed(url: string, { config, sources, log }: Patient): Promise<Finding> {
  try {
    const signer = await givenSigner(config);
    return inWords(url, await probeRelay({ url, log, agentFor: upstreamOf(sources), signer }));
  } catch (error) {
    const found = `not reached: ${toNwsError(error).message}`;
    const hint = 'check the address and the network; behind a company’s proxy, HTTPS_PROXY';
    return { check: 'relay', subject: url, status: 'failed', found, hint };
  }
}
