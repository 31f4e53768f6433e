// The name: what it says, and where its relays are known from.

import { NwsError, toNwsError } from '../../../errors.js';
import { encodeNpub } from '../../../protocol/names/address.js';
import { type Check, failed } from '../check.js';

export const nameCheck: Check = {
  waitsFor: 'what the name means',
  async *run(patient) {
    const { decoded, resolver } = patient;
    if (decoded === undefined) return;
    if (decoded instanceof NwsError) return yield failed('name', decoded);
    try {
      const to = await resolver.resolve(decoded.host);
      patient.to = to;
      const npub = encodeNpub(to.pubkey);
      const by = to.relaySources.join(' and ');
      const found = `${npub}, from the ${to.source}; relays from the ${by}`;
      const details = { pubkey: to.pubkey, relays: to.relays };
      yield { check: 'name', status: 'ok', found, details };
    } catch (error) {
      yield failed('name', toNwsError(error));
    }
  },
};
