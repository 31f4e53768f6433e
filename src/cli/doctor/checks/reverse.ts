// CONNECTR: can the exit connect to the address that the settings give? Only from outside can that be told.

import { toNwsError } from '../../../errors.js';
import { type Check, failed, type Patient, skipped } from '../check.js';
import { tryRequest } from '../try-request.js';

export const reverseCheck: Check = {
  waitsFor: 'a connection of the exit to the public address',
  async *run(patient) {
    const { publicAddress, reverseListen } = patient.config;
    if (publicAddress === undefined) return;
    const subject = `${publicAddress.host}:${publicAddress.port}`;
    const untold = whyUntold(patient);
    if (untold !== undefined) return yield { ...skipped('connectr', untold), subject };
    try {
      const { way } = await tryRequest(patient, { publicAddress, reverseListen });
      if (way === 'reverse') {
        const found = 'the exit connects to it: bytes go past the relays';
        return yield { check: 'connectr', subject, status: 'ok', found };
      }
      const found = 'the exit does not reach it: streams stay on the relays';
      const hint =
        'open the port in firewall and router; --reverse-listen where it is another here';
      yield { check: 'connectr', subject, status: 'failed', found, hint };
    } catch (error) {
      const failure = toNwsError(error);
      if (failure.code !== 'address_in_use')
        return yield { ...failed('connectr', failure), subject };
      const found = 'not checked: the port is taken, by your proxy perhaps';
      const hint = 'stop that for this check, or see "way" in its log';
      yield { check: 'connectr', subject, status: 'note', found, hint };
    }
  },
};

function whyUntold({ decoded, to, pin }: Patient): string | undefined {
  if (decoded === undefined) return 'only an exit can tell; give HOST';
  if (to === undefined) return 'the name has to be known first';
  return pin?.reliable === false ? 'the exit knows NIP-443 alone' : undefined;
}
